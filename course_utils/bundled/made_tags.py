"""Sentences with their words and named entities, made by rule in place of the three tagged data sets.

A template is a sentence of words with {slots}. A slot of a name is filled with a name put together from
syllables, so that a later sentence has names that no earlier one had, as in real texts; the rest comes
from short lists. So every word, its part of speech and every entity is known exactly.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import re

import numpy as np

Word = tuple[str, str]  # a word, and its part of speech or its tag

# --- Chinese: word/part of speech; a slot of an entity is a word of its own --------------------------------
CHINESE = (
    "昨天/NOUN {PER.NAM} 在/ADP {GPE.NAM} 看见/VERB 了/AUX {PER.NOM} 。/PUNCT",
    "{PER.NAM} 研究/VERB 生命/NOUN 的/PART 起源/NOUN ，/PUNCT {many} 年/NOUN 了/PART 。/PUNCT",
    "{PER.NOM} 说/VERB {ORG.NAM} 的/PART 研究生/NOUN 都/ADV 很/ADV {how} 。/PUNCT",
    "我/PRON {when} 去/VERB {LOC.NAM} {do} 。/PUNCT",
    "{when} 的/PART {thing} 真/ADV {how} ！/PUNCT",
    "谢谢/VERB {PER.NAM} 和/CCONJ {PER.NOM} 送/VERB 的/PART {thing} 。/PUNCT",
    "{ORG.NAM} 在/ADP {GPE.NAM} 买/VERB 了/AUX {many} 块/NOUN {thing} 。/PUNCT",
    "{who} {when} 不/ADV 想/VERB {do} ，/PUNCT 想/VERB 去/VERB {LOC.NOM} 。/PUNCT",
    "{who} 把/ADP {thing} 忘/VERB 在/ADP {LOC.NOM} 了/PART 。/PUNCT",
    "{GPE.NAM} 的/PART {thing} 比/ADP {GPE.NAM} 的/PART 好/ADJ 。/PUNCT",
    "{who} 喜欢/VERB {thing} ，/PUNCT 也/ADV 喜欢/VERB {do} 。/PUNCT",
    "哈哈/INTJ ，/PUNCT {PER.NOM} 又/ADV {do} 了/PART 。/PUNCT",
)
LISTS = {
    "when": "今天/NOUN 明天/NOUN 早上/NOUN 晚上/NOUN 周末/NOUN 刚才/ADV 去年/NOUN 星期一/NOUN",
    "how": "忙/ADJ 高兴/ADJ 好看/ADJ 贵/ADJ 有意思/ADJ 安静/ADJ 一般/ADJ 了不起/ADJ",
    "do": "睡觉/VERB 游泳/VERB 跑步/VERB 唱歌/VERB 学习/VERB 喝茶/VERB 打网球/VERB 看书/VERB",
    "thing": "蛋糕/NOUN 手表/NOUN 面包/NOUN 电影/NOUN 自行车/NOUN 茶/NOUN 书/NOUN 照片/NOUN 鱼/NOUN",
    "many": "三/NUM 五/NUM 12/NUM 两/NUM 100/NUM",
    "who": "我/PRON 你/PRON 他们/PRON 我们/PRON 大家/PRON",
    "PER.NOM": "妈妈/NOUN 老师/NOUN 朋友/NOUN 哥哥/NOUN 女孩/NOUN 医生/NOUN",
    "LOC.NOM": "学校/NOUN 公园/NOUN 车站/NOUN 山上/NOUN",
}
FAMILY, GIVEN = "王李张陈林何白方于高", "明华丽小军文思雨天海平安云红"
PLACE, RISE, TRADE = "平安南海青沙云龙石江乐长", "山湖岛河", ["大学", "公司", "银行", "医院"]

# --- English: a slot of an entity is one or two words, with capitals or without ----------------------------
ENGLISH = (
    "so happy to see {person} at {location} {when}",
    "{person} just told me about the new {product} lol",
    "watching {creative-work} again with {person}",
    "anyone going to {location} {when} ?",
    "my {product} is broken :(",
    "{corporation} should fix the {product} !",
    "{group} are playing in {location} {when}",
    "i can't sleep {when} , who is up",
    "good morning everyone , have a nice day",
    "rt @friend : {group} were so good {when}",
    "{corporation} opens a shop in {location}",
    "read {creative-work} {when} , not bad at all",
)
WHEN = "today|tonight|tomorrow|last night|this week"
SYLLABLES = [
    "ve", "ra", "to", "lin", "ko", "mi", "sa", "du", "ne", "bor", "fi", "gan", "lo", "pe", "tu", "zan",
]  # fmt: skip


def _pick(rng: np.random.RandomState, choices: str | list[str]) -> str:
    return choices[rng.randint(len(choices))]


def _chinese_name(rng: np.random.RandomState, kind: str) -> str:
    place = _pick(rng, PLACE) + _pick(rng, PLACE)
    if kind == "PER.NAM":
        return _pick(rng, FAMILY) + "".join(_pick(rng, GIVEN) for _ in range(1 + rng.randint(2)))
    return {
        "GPE.NAM": place + "市" * rng.randint(2),
        "LOC.NAM": place + _pick(rng, RISE),
        "ORG.NAM": place + _pick(rng, TRADE),
    }[kind]


def chinese(n: int, seed: int = 0) -> list[list[tuple[str, str, str]]]:
    """n sentences of (word, part of speech, kind of entity or "")."""
    rng = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    sentences = []
    for _ in range(n):
        words = []
        for part in CHINESE[rng.randint(len(CHINESE))].split():
            slot = part.strip("{}")
            if part == slot:
                word, speech = part.split("/")
                words.append((word, speech, ""))
            elif slot in LISTS:
                word, speech = _pick(rng, LISTS[slot].split()).split("/")
                words.append((word, speech, slot if "." in slot else ""))
            else:
                words.append((_chinese_name(rng, slot), "PROPN", slot))
        sentences.append(words)
    return sentences


def treebank(n: int, seed: int = 0) -> list[list[Word]]:
    """n Chinese sentences of (word, part of speech)."""
    return [[(word, speech) for word, speech, _ in words] for words in chinese(n, seed)]


def posts(n: int, seed: int = 0) -> list[list[Word]]:
    """n Chinese posts of (character, tag): B-… begins an entity, I-… goes on, O is none."""
    return [
        [(c, tag(kind, i)) for word, _, kind in words for i, c in enumerate(word)]
        for words in chinese(n, seed)
    ]


def tag(kind: str, place: int) -> str:
    """The tag of the token at this place of an entity; O where it is none."""
    return f"{'I' if place else 'B'}-{kind}" if kind else "O"


def tweets(n: int, seed: int = 0) -> list[list[Word]]:
    """n English posts of (word, tag), half of their names in small letters."""
    rng = np.random.RandomState(seed)
    found = []
    for _ in range(n):
        post: list[Word] = []
        for part in re.findall(r"{[^}]+}|\S+", ENGLISH[rng.randint(len(ENGLISH))]):
            slot = part.strip("{}")
            if part == slot:
                post.append((part, "O"))
            elif slot == "when":
                post += [(word, "O") for word in _pick(rng, WHEN.split("|")).split()]
            else:
                name = ["".join(_pick(rng, SYLLABLES) for _ in range(2)) for _ in range(1 + rng.randint(2))]
                small = rng.randint(2)
                post += [(w if small else w.title(), tag(slot, i)) for i, w in enumerate(name)]
        found.append(post)
    return found
