"""Plans: what apply would do. `build` makes one from facts, `render` shows it, `outdated` says if it still holds."""
