"""What does not fit inside a text is found, and what fits is left alone."""

import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.claims.copychecks import check

DAY = datetime.date(2025, 2, 4)
SAMPLE = Path(__file__).parents[3] / "shared" / "samples" / "el-salvador-deal.txt"

WRONG = [
    ("weekday", "He said so on Monday (Feb 04).", "en", "Monday (Feb 04"),
    ("weekday", "They met on Friday, March 7th, 2024.", "en", "Friday, March 7th, 2024"),
    ("weekday", "They met on 7 March 2024, a Friday.", "en", "7 March 2024, a Friday"),
    ("weekday", "Llegó el lunes 4 de febrero de 2025.", "es", "lunes 4 de febrero de 2025"),
    ("weekday", "On Friday (Dec 30) it snowed.", "en", "Friday (Dec 30"),
    ("impossible_date", "They met on 31 April.", "en", "31 April"),
    ("impossible_date", "On February 29, 2023 it rained.", "en", "February 29, 2023"),
    ("impossible_date", "El 31 de junio llovió.", "es", "31 de junio"),
    ("age", "The 35-year-old driver, born in 1970, left.", "en", "35-year-old"),
    ("age", "Nació en 1970 y, a sus 35 años, se fue.", "es", "35 años"),
    ("percentage", "It rose from 40 to 50, a rise of 20 percent.", "en", "20"),
    ("percentage", "It rose from 1,200 to 1,500, up 15%.", "en", "15"),
    ("percentage", "Of all, 12 of 48 people (20 percent) came.", "en", "20"),
    ("percentage", "Subió de 40 a 50, un 20 por ciento.", "es", "20"),
    ("percentage_points", "It fell from 45 percent to 40 percent, a drop of 5 percent.", "en", "5"),
    ("sum", "A total of 100 people: 40 men, 30 women and 20 children.", "en", "100"),
    ("sum", "There were 40 men, 30 women and 20 children, a total of 100 people.", "en", "100"),
    ("scale", "It cost 5.4 million dollars. Later it cost 5.4 billion dollars.", "en", "5.4 billion dollars"),
    ("conversion", "It is 10 miles (20 kilometres) away.", "en", "10 miles (20 kilometres"),
    ("conversion", "It was 30°C (80°F) in the shade.", "en", "30°C (80°F"),
    ("quotation_marks", "“He came, she said.", "en", "“"),
    ("quotation_marks", "He came,” she said.", "en", "”"),
    ("quotation_marks", 'He "came" and "went.', "en", '"'),
    ("quotation_marks", "They stay in his jails,Rubio said.", "en", ",Rubio"),
    ("spelling", "Marco Rubio came. Then Marco Rubbio left.", "en", "Rubbio"),
    ("spelling", "Bukele came. Bukele spoke. Bukelle left.", "en", "Bukelle"),
    (
        "twin_quote",
        "“We will never give up this fight for our land,” he said. “We will not give up this fight for our land.”",
        "en",
        "We will not give up this fight for our land.",
    ),
    ("doubled_word", "He went to the the bank.", "en", "the the"),
    ("weekday", "Feb. 4 was a Monday.", "en", "Feb. 4 was a Monday"),
    ("weekday", "It rained on Monday (2025-02-04).", "en", "Monday (2025-02-04"),
    ("weekday", "It rained on Monday (02/04/2025).", "en", "Monday (02/04/2025"),
    ("weekday", "El 4 de febrero fue lunes.", "es", "4 de febrero fue lunes"),
    ("impossible_date", "On 2025-02-30 it rained.", "en", "2025-02-30"),
    ("impossible_date", "On 31/04/2024 it rained.", "en", "31/04/2024"),
    ("age", "Anna Berg, who was born in 1970, is 45 years old.", "en", "45 years old"),
    ("age", "Anna Berg (45), born in 1970, left.", "en", " (45)"),
    ("age", "Anna Berg was born in 1970. She is 45.", "en", "is 45"),
    ("age", "Nacida en 1970, Ana tiene 45 años.", "es", "45 años"),
    ("age", "Olsen (1920–1990) died aged 60.", "en", "60"),
    ("percentage", "Sales grew 20 percent, from 100 to 150.", "en", "20"),
    ("percentage", "Sales rose to 150 from 100, a 20 percent increase.", "en", "20"),
    ("percentage", "It doubled from 100 to 150.", "en", "doubled"),
    ("percentage", "Se duplicó de 100 a 150.", "es", "duplicó"),
    ("percentage", "Of the 48 members, 12, or 20 percent, voted.", "en", "20"),
    ("percentage", "In all, 20 percent (12 of 48) voted.", "en", "20"),
    ("percentage_points", "El paro subió del 10 al 15 por ciento, un 5 por ciento más.", "es", "5"),
    ("sum", "In the poll 60% said yes and 50% no.", "en", "60% said yes and 50%"),
    ("sum", "The 238 people — 137 men and 100 women — left.", "en", "238"),
    ("sum", "In all 100 people died: 40 in the north, 30 in the south and 20 in the east.", "en", "100"),
    ("sum", "Of the 100 seats, 60 went to A, 30 to B and 20 to C.", "en", "100"),
    ("scale", "It is worth $6 million. The $6 billion deal was signed.", "en", "$6 billion deal"),
    ("scale", "It cost 6 million euros. Later: €6bn.", "en", "€6bn"),
    ("scale", "A six-million-dollar deal. A six billion dollar deal.", "en", "six billion dollar"),
    ("scale", "Costó 6 millones de dólares. Los 6 mil millones de dólares.", "es", "6 mil millones de dólares"),
    ("spelling", "Mr Ramírez said so. Then Ramirez denied it.", "en", "Ramirez"),
    ("quotation_marks", "He said ‘this is it. And then he left.", "en", "‘"),
    (
        "conversion",
        "It was 30 degrees Celsius (80 degrees Fahrenheit).",
        "en",
        "30 degrees Celsius (80 degrees Fahrenheit",
    ),
]


@pytest.mark.parametrize(("kind", "text", "language", "words"), WRONG, ids=[f"{one[0]}-{one[3][:20]}" for one in WRONG])
def test_what_does_not_fit_is_found_and_explained(kind, text, language, words):
    findings = [finding for finding in check(text, language, DAY) if finding.kind == kind]

    assert [text[finding.start : finding.end] for finding in findings] == [words]
    assert findings[0].message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("He said so on Tuesday (Feb 04).", "en"),
        ("On Monday (Dec 30) it snowed.", "en"),
        ("They met on Thursday, March 7th, 2024.", "en"),
        ("Llegó el martes 4 de febrero de 2025.", "es"),
        ("On February 29, 2024 it rained, and in May 2023 too.", "en"),
        ("The 54-year-old driver, born in 1970, left.", "en"),
        ("It rose from 40 to 50, a rise of 25 percent.", "en"),
        ("It fell from 200 to 150, down 25 percent.", "en"),
        ("It rose from 3 million to 3.6 million, some 20 percent.", "en"),
        ("It fell from 45 percent to 40 percent, a drop of 5 percentage points.", "en"),
        ("It fell from 45 percent to 40 percent, a drop of 11 percent.", "en"),
        ("Of all, 12 of 48 people (25 percent) came.", "en"),
        ("A total of 90 people: 40 men, 30 women and 20 children.", "en"),
        ("A total of 100 people: 40 men, 30 women and many children.", "en"),
        ("It cost 5.4 million dollars, and 5.4 billion people heard of it.", "en"),
        ("It is 10 miles (16 kilometres) away, and 100 miles (160 km) by sea.", "en"),
        ("It was 30°C (86°F) in the shade.", "en"),
        ("“He came,” she said. “And went.”", "en"),
        ("“He came.\n\n“And he went,” she said.", "en"),
        ("„Er kam“, sagte sie. «Il est venu», dit-elle.", "de"),
        ('A 5" pipe and "a word".', "en"),
        ("The U.S. and e.g. this, a.m. and p.m., 1,000 and example.com stay.", "en"),
        ("Salvadoran and Salvadorans, Mexicano and Mexicana, Adams and Adam.", "en"),
        (
            "“Thank you very much for all of your help,” he said. “What will become of all our children now?”",
            "en",
        ),
        ("He had had enough, and that that was so was clear.", "en"),
        ("On Tuesday (2025-02-04) it rained, and on Wednesday (02/04/2025) too.", "en"),
        ("Born in 1970, he was aged 25 when he joined.", "en"),
        ("He was born in 1970. Erik Lund, 45, drove.", "en"),
        ("Olsen (1920–1990) died aged 70. Berg (1930–1999) was elected at 40.", "en"),
        ("It doubled from 100 to 195. From 2019 to 2021 it doubled. It doubled from 2019 to 2021.", "en"),
        ("It grew by 20% from 2019 to 2021, and 20 percent from 100 to 120.", "en"),
        ("Of the 100 seats, 60 went to A and 30 to B.", "en"),
        ("She won 3 medals: 1 gold, 1 silver and 1 bronze.", "en"),
        ("In 3 matches: 6 points, 4 goals and 2 cards.", "en"),
        ("It is 6 feet (1 m and 82 cm) high.", "en"),
        ("It cost $6 million. It cost $7 billion. The 6 m wall.", "en"),
        ("‘90s music and rock ‘n’ roll. He said ‘no’. The workers’ ‘quiet’ clause.", "en"),
        ("In the poll 55% said yes and 45% no.", "en"),
    ],
)
def test_what_fits_is_left_alone(text, language):
    assert check(text, language, DAY) == []


def test_without_the_texts_own_day_a_date_without_a_year_says_nothing():
    assert check("He said so on Monday (Feb 04).", "en", None) == []


def test_two_places_that_disagree_are_both_shown():
    text = "It cost 5.4 million dollars. Later it cost 5.4 billion dollars."
    other = check(text, "en", DAY)[0].other

    assert other is not None
    assert text[slice(*other)] == "5.4 million dollars"


@pytest.mark.skipif(not SAMPLE.exists(), reason="shared: the scraped sample article is not here")
def test_in_the_sample_the_wrong_weekday_and_the_lost_quotation_marks_are_found():
    text = SAMPLE.read_text()
    findings = check(text, "en", DAY)

    weekday = next(finding for finding in findings if finding.kind == "weekday")
    assert text[weekday.start : weekday.end].startswith("Monday (Feb 04")
    assert "Tuesday" in weekday.message
    lost = [text[finding.start : finding.end] for finding in findings if finding.kind == "quotation_marks"]
    assert lost.count("“") == 2
    assert {",Rubio", ",according", ",the"} <= set(lost)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "“",
                "”",
                '"',
                "„",
                "«",
                "5",
                "31 April",
                "Monday",
                "(",
                "Feb 04",
                "from 3 to 4",
                "%",
                "Rubio",
                "\n\n",
                ".",
            ]
        )
        | st.text(max_size=5),
        max_size=40,
    ).map(" ".join)
)
def test_whatever_the_text_each_finding_lies_in_it(text):
    for finding in check(text, "en", DAY):
        assert 0 <= finding.start < finding.end <= len(text)
        assert finding.message
        if finding.other:
            assert 0 <= finding.other[0] < finding.other[1] <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "“" * 20_000,
        "9" * 50_000,
        "9," * 50_000,
        "Name " * 20_000,
        "from 1 " * 10_000,
        "a,b" * 20_000,
        "1 of 2, " * 20_000,
        "‘a " * 20_000,
        "born 1970 " * 5_000,
    ],
)
def test_odd_texts_are_read_to_their_end(text):
    assert isinstance(check(text, "en", DAY), list)
