"""Words that rows are made of. Several scripts, since databases have them."""

from __future__ import annotations

FIRST = (
    *("Ada", "Bjørn", "Chloé", "Dmitri", "Elif", "Fatima", "Grace", "Håkon", "Ines", "José", "Kenji", "Łucja"),
    *("Mehmet", "Noor", "Óscar", "Priya", "Quentin", "Renée", "Søren", "Tomáš", "Uma", "Věra", "Wei", "Zoë"),
)
LAST = (
    *(
        "Almeida",
        "Böhm",
        "Çelik",
        "Dupont",
        "Eriksen",
        "Fernández",
        "García",
        "Hansen",
        "Ivanova",
        "Jansen",
        "Kowalski",
    ),
    *("Lindqvist", "Müller", "Nguyễn", "O'Brien", "Petrov", "Quispe", "Rossi", "Sørensen", "Tanaka", "Ünal", "Žižek"),
)
# What latin1 (to MySQL that is cp1252) can hold.
WESTERN = ("Müller & Söhne", "Café René", "Señor Núñez", "Åse Ødegård", "L’Œuvre", "Straße 17", "Prix 5 €")
CITIES = (
    ("Berlin", "DE", 13.405, 52.52),
    ("Kraków", "PL", 19.945, 50.0647),
    ("Lisboa", "PT", -9.1393, 38.7223),
    ("Malmö", "SE", 13.0038, 55.605),
    ("Nantes", "FR", -1.5536, 47.2184),
    ("São Paulo", "BR", -46.6333, -23.5505),
    ("東京", "JP", 139.6917, 35.6895),
    ("Αθήνα", "GR", 23.7275, 37.9838),
    ("Austin", "US", -97.7431, 30.2672),
    ("Auckland", "NZ", 174.7633, -36.8485),
)
STREETS = ("Hauptstraße", "Rue de la Paix", "Calle Mayor", "Main Street", "Storgatan", "ul. Długa", "桜通り")
ADJECTIVES = ("Blue", "Compact", "Eco", "Foldable", "Grand", "Handmade", "Ivory", "Light", "Mini", "Sturdy", "Urban")
THINGS = ("Backpack", "Chair", "Desk Lamp", "Easel", "Flask", "Kettle", "Notebook", "Scarf", "Tent", "Wok", "Yo-Yo")
EMOJI = ("🎒", "🪑", "💡", "🎨", "☕", "🫖", "📓", "🧣", "⛺", "🥘", "🪀")
COLORS = ("black", "white", "rød", "grün", "bleu", None)
SIZES = ("S", "M", "L", "XL", "XXL")
TAGS = ("Sale", "sale", "new", "gift", "vegan", "outdoor", "kids", "été", "冬", "🔥")
CARRIERS = ("DHL", "Postnord", "UPS", "ヤマト")
PRAISE = (
    "Lovely!",
    "Does what it says.",
    "Came late, but fine 👍",
    "Très bien",
    "大好き ❤️",
    "No.",
    "Broke after a week 😠",
)
PATHS = ("/", "/search?q=lamp", "/cart", "/checkout", "/product/", "/häufige-fragen", "/account")
