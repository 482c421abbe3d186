"""Passages with questions, in English and Chinese, made by rule in place of XQuAD and CMRC 2018.

A passage tells of one thing that a shop sells, in sentences of one fact each, in chance order; five
things of one kind make an article. The two languages say the same, question by question. A question names
the thing and asks for one fact, so that it shares some words with its passage and some with all the others.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

from typing import Any

import numpy as np

KINDS = {
    "lamp": "灯", "clock": "钟", "cup": "茶杯", "radio": "收音机", "camera": "相机", "scooter": "滑板车",
    "printer": "打印机", "heater": "取暖器", "freezer": "冰箱", "telescope": "望远镜", "piano": "钢琴",
    "sofa": "沙发", "boat": "小船", "violin": "小提琴", "desk": "书桌", "loom": "织布机",
}  # fmt: skip
# a name's syllables as they are spelled in both languages
SYLLABLES = {
    "ve": "维", "ra": "拉", "to": "托", "lin": "林", "ko": "科", "mi": "米", "sa": "萨", "du": "杜",
    "ne": "内", "bor": "博尔", "fi": "菲", "gan": "甘", "lo": "洛", "pe": "佩", "tu": "图", "zan": "赞",
}  # fmt: skip
CITIES = {
    "Lisbon": "里斯本", "Oslo": "奥斯陆", "Vienna": "维也纳", "Hanoi": "河内", "Lima": "利马",
    "Kyoto": "京都", "Quito": "基多", "Tunis": "突尼斯",
}  # fmt: skip
COLORS = {"red": "红色", "green": "绿色", "gray": "灰色", "blue": "蓝色", "white": "白色", "yellow": "黄色"}
STUFF = {"wood": "木头", "steel": "钢", "stone": "石头", "silver": "银", "paper": "纸", "leather": "皮革"}
# fact: its sentence, its question and its answer, in English and Chinese; {the} is the thing's name, {it} the
# name again or "it"
FACTS = {
    "weight": (("{it} weighs {n} kilograms.", "How much does {the} weigh?", "{n} kilograms"),
               ("{it}重{n}千克。", "{the}有多重？", "{n}千克")),
    "price": (("In the shop {it} costs {m} crowns.", "What does {the} cost?", "{m} crowns"),
              ("{it}在店里卖{m}克朗。", "{the}卖多少钱？", "{m}克朗")),
    "year": (("{it} was first made in {y}.", "In which year was {the} first made?", "{y}"),
             ("{it}于{y}年首次生产。", "{the}是哪一年首次生产的？", "{y}年")),
    "city": (("{it} is built near {city}.", "Near which city is {the} built?", "{city}"),
             ("{it}在{city}附近制造。", "{the}是在哪个城市附近制造的？", "{city}")),
    "color": (("{it} is sold in {c} and {d}.", "In which colors is {the} sold?", "{c} and {d}"),
              ("{it}有{c}和{d}两种颜色。", "{the}有哪些颜色？", "{c}和{d}")),
    "stuff": (("The case is made of {stuff}.", "Of which material is the case of {the} made?", "{stuff}"),
              ("外层由{stuff}制成。", "{the}的外层是什么材料？", "{stuff}")),
    "months": (("The guarantee lasts {k} months.", "How long does the guarantee of {the} last?",
                "{k} months"),
               ("{it}的保修期为{k}个月。", "{the}的保修期是多久？", "{k}个月")),
    "inventor": (("{who} designed {it}.", "Who designed {the}?", "{who}"),
                 ("{it}由{who}设计。", "谁设计了{the}？", "{who}")),
}  # fmt: skip


def read(things: int = 80, seed: int = 0) -> list[dict[str, list[dict[str, Any]]]]:
    """Articles as SQuAD's files hold them, {"paragraphs": …}: [the English, the Chinese] `data`, as a dict by
    language under each article's place."""
    rng = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    kinds = sorted(KINDS)
    names = rng.permutation(len(SYLLABLES) ** 2)[:things]
    articles: list[dict[str, list[dict[str, Any]]]] = []
    for i in range(things):
        kind = kinds[(i // 5) % len(kinds)]
        made = _passage(rng, kind, *divmod(int(names[i]), len(SYLLABLES)), i)
        if i % 5 == 0:
            articles.append({"en": [], "zh": []})
        for language, passage in zip(("en", "zh"), made, strict=True):
            articles[-1][language].append(passage)
    return articles


def squad(language: str, things: int = 80, seed: int = 0) -> list[dict[str, Any]]:
    """The `data` of a file in SQuAD's form, "en" or "zh"."""
    return [{"paragraphs": article[language]} for article in read(things, seed)]


def _passage(rng: np.random.RandomState, kind: str, first: int, second: int, i: int) -> list[dict[str, Any]]:
    syllables = list(SYLLABLES.items())
    spelled = [syllables[j] for j in (first, second)]
    values = _values(rng)
    named = rng.rand(len(FACTS)) < 0.5
    chosen = [list(FACTS)[j] for j in rng.permutation(len(FACTS))[:6]]
    asked = set(rng.permutation(chosen)[:3])
    made = []
    for language in (0, 1):
        name = "".join(pair[language] for pair in spelled)
        name = name.title() if language == 0 else name
        bare = f"{name} {kind}" if language == 0 else name + KINDS[kind]
        words = {k: v[language] for k, v in values.items()}
        words |= {"the": f"the {bare}" if language == 0 else bare, "bare": bare}
        begin = (
            f"The {bare} is one of the shop's {kind}s."
            if language == 0
            else f"{bare}是店里的一种{KINDS[kind]}。"
        )
        text, questions = begin, []
        for fact in chosen:
            pronoun = ("it", "它")[language]
            words["it"] = words["the"] if named[list(FACTS).index(fact)] else pronoun
            sentence, question, answer = (part.format(**words) for part in FACTS[fact][language])
            sentence = sentence[0].upper() + sentence[1:]
            text += (" " if language == 0 else "") + sentence
            if fact in asked:
                start = len(text) - len(sentence) + sentence.index(answer)
                questions.append({"id": f"{i}-{fact}", "question": question,
                                  "answers": [{"text": answer, "answer_start": start}]})  # fmt: skip
        made.append({"context": text, "qas": questions})
    return made


def _values(rng: np.random.RandomState) -> dict[str, tuple[str, str]]:
    def pick(table: dict[str, str], n: int = 1) -> list[tuple[str, str]]:
        rows = list(table.items())
        return [rows[j] for j in rng.permutation(len(rows))[:n]]

    c, d = pick(COLORS, 2)
    who = pick(SYLLABLES, 3)
    person = ("".join(w for w, _ in who[:2]).title() + " " + who[2][0].title(), "".join(w for _, w in who))
    numbers = {
        "n": rng.randint(2, 60), "m": rng.randint(11, 990), "y": rng.randint(1890, 2020),
        "k": rng.randint(3, 40),
    }  # fmt: skip
    same = {key: (str(value), str(value)) for key, value in numbers.items()}
    return same | {"city": pick(CITIES)[0], "c": c, "d": d, "stuff": pick(STUFF)[0], "who": person}
