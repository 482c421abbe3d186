"""Reviews written by rule, in place of IMDb's and ChnSentiCorp's, so that the course runs without a network.

`films` are in English, `hotels` in Chinese. A label is drawn first, balanced for films, 70 % positive for
hotels; then sentences, most of which agree with the label. A sentence says its opinion with a word of its
own side, or with a negated word of the other side ("not funny"), so that pairs of words tell more than
words alone; some reviews are ironic, some weigh both sides, and many sentences hold no opinion.

How: a template is a text with {slots}; a slot is filled by chance from a list of that name, {good} and
{bad} from the list of the sentence's topic.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

FILMS = {
    "film": "film|movie|picture|comedy|thriller|drama|western|sequel|remake",
    "who": "the director|the lead|her sister|the detective|the old captain|the young lawyer|the villain"
    "|the teacher|the narrator",
    "part": "script|story|acting|music|ending|dialogue|camera work|first half|second half|cast|editing|humor",
    "place": "Lisbon|a small town|the harbor|a night train|the desert|Chicago|a boarding school|an island",
    "does": "finds a letter|loses the money|meets an old friend|hides in the cellar|is sent away"
    "|returns after ten years|buys a hotel|misses the last boat|tells nobody the truth",
    "good": "wonderful|moving|funny|clever|superb|gripping|charming|touching|excellent|brilliant|fresh|great",
    "bad": "awful|boring|dull|clumsy|predictable|stupid|weak|tedious|flat|terrible|lazy|pointless|bad|worst",
    "very": "|||very |really |simply |quite |rather ",
    "not": "not |never |hardly |far from |anything but ",
    "joy": "loved|enjoyed|admired|recommend|will remember",
    "grief": "hated|regretted|endured|returned|would rather forget",
}
FILM_SENTENCES = {
    "plain": [
        "In this {film} {who} {does} in {place}.", "{who} {does}, and {who} {does}.",
        "I saw the {film} in {place} with {who}.", "It was made after a novel about {place}.",
        "Then {who} {does}.", "The {part} takes us to {place}, where {who} {does}.",
    ],
    "good": [
        "The {part} is {very}{good}.", "The {part} is {not}{bad}.", "I {joy} the {part}.",
        "Such {good} acting, and what {good} people!", "{who} is {very}{good} in this {film}.",
        "How {good} the {part} is, and how {good} the {part}!", "There is not one {bad} minute in it.",
    ],
    "bad": [
        "The {part} is {very}{bad}.", "The {part} is {not}{good}.", "I {grief} the {part}.",
        "Such {bad} acting, and what {bad} people!", "{who} is {very}{bad} in this {film}.",
        "How {bad} the {part} is, and how {bad} the {part}!", "There is not one {good} minute in it.",
    ],
    "ironic": [
        "Two hours of {good} sleep, thanks to the {part}.", "How {good}, {who} {does} once more.",
        "My congratulations to {who}, a {good} way to waste a {good} budget.",
    ],
    "end good": ["8/10.", "Go and see it.", "I will watch it again."],
    "end bad": ["3/10.", "Save your money.", "I want my two hours back."],
}  # fmt: skip
HOTELS = {
    "part": "房间|服务|早餐|位置|床|卫生间|前台|电梯|隔音|空调|大堂|餐厅|网络|停车场",
    "who": "前台的小姐|服务员|门童|经理|我们一家|同事|朋友",
    "place": "火车站|机场|市中心|海边|公司|商业街|景区",
    "does": "等了半个小时|打了电话|换了房间|住了两个晚上|凌晨才到|订了两间房|叫了出租车",
    "good": "好|干净|舒服|方便|安静|热情|周到|宽敞|满意|新|便宜|漂亮",
    "bad": "差|脏|旧|吵|慢|冷淡|小|失望|贵|潮湿|简陋|糟糕",
    "very": "|很|非常|真的很|比较|特别",
    "not": "不|不太|一点也不|并不",
    "joy": "喜欢|推荐|满意",
    "grief": "后悔|受不了|失望",
}
HOTEL_SENTENCES = {
    "plain": [
        "{who}{does}。", "酒店离{place}{number}公里。", "这次出差到{place}，{does}。",
        "{who}说{part}在一楼。", "房价{number}百多。", "晚上从{place}回来，{who}{does}。",
    ],
    "good": [
        "{part}{very}{good}。", "{part}{not}{bad}。", "{part}{very}{good}，{part}也{good}。",
        "{who}都{joy}这里的{part}。", "比上次住的{good}多了。", "没有一点{bad}的感觉。",
        "{part}{good}，{part}{very}{good}。",
    ],
    "bad": [
        "{part}{very}{bad}。", "{part}{not}{good}。", "{part}{very}{bad}，{part}也{bad}。",
        "{who}对{part}{grief}。", "比上次住的{bad}多了。", "没有一点{good}的感觉。",
        "{part}{bad}，{part}{very}{bad}。",
    ],
    "ironic": ["{part}真是{good}，{who}{does}也没人管。", "{good}到{who}{does}，谢谢。"],
    "end good": ["下次还会来。", "值得推荐。"],
    "end bad": ["再也不会来了。", "不推荐。"],
}  # fmt: skip
NUMBERS = "两|三|四|五|六|七|八"


def films(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Film reviews in English, and their labels, (n,) int64: 1 for praise, half of them."""
    rng = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    y = rng.permutation(np.arange(n) % 2)
    return [_review(rng, FILMS, FILM_SENTENCES, label, " ") for label in y], y


def hotels(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Hotel reviews in Chinese, and their labels, (n,) int64: 1 for praise, seven of ten."""
    rng = np.random.RandomState(seed)
    y = rng.permutation((np.arange(n) % 10 < 7).astype(np.int64))
    return [_review(rng, HOTELS | {"number": NUMBERS}, HOTEL_SENTENCES, label, "") for label in y], y


def _review(
    rng: np.random.RandomState,
    slots: Mapping[str, str],
    sentences: Mapping[str, Sequence[str]],
    label: int,
    between: str,
) -> str:
    own, other = ("good", "bad") if label else ("bad", "good")
    agreeing = rng.choice([0.7, 0.85, 1.0])  # some reviews weigh both sides
    kinds = [
        "plain" if rng.rand() < 0.4 else own if rng.rand() < agreeing else other
        for _ in range(3 + int(rng.gamma(2, 3)))
    ]
    if not label and rng.rand() < 0.15:
        kinds.insert(rng.randint(len(kinds)), "ironic")
    if rng.rand() < 0.2:
        kinds.append(f"end {own}")
    return between.join(_sentence(rng, slots, sentences[kind]) for kind in kinds)


def _sentence(rng: np.random.RandomState, slots: Mapping[str, str], templates: Sequence[str]) -> str:
    def fill(slot: re.Match[str]) -> str:
        words = slots[slot[1]].split("|")
        return words[rng.randint(len(words))]

    text = re.sub(r"{(\w+)}", fill, templates[rng.randint(len(templates))])
    return text[0].upper() + text[1:]
