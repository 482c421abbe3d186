"""English sentences and their Chinese translations, made by rule in place of Tatoeba's.

A template is a pair of sentences with {slots}; a slot is filled in both languages by the same entry of a
small dictionary. So words correspond, their order does not, and some English words share a translation: a
word table or a small translator can be learned from them. The shortest come first, as in the published file.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import re

import numpy as np

WORDS = {
    "who": "I=我|You=你|We=我们|They=他们|Tom=汤姆|Mary=玛丽|The teacher=老师|My brother=我哥哥"
    "|The doctor=医生|Her friend=她的朋友",
    "saw": "saw=看见了|bought=买了|sold=卖了|lost=弄丢了|mislaid=弄丢了|found=找到了|washed=洗了|painted=画了"
    "|forgot=忘了",
    "thing": "the book=那本书|the car=那辆车|a picture=一幅画|the letter=那封信|an apple=一个苹果"
    "|the dog=那只狗|a bicycle=一辆自行车|a bike=一辆自行车|the watch=那块手表"
    "|a passport=一本护照|the bread=面包|two eggs=两个鸡蛋|the map=地图",
    "where": "in the garden=在花园里|at school=在学校|at the station=在车站|in the office=在办公室里"
    "|near the river=在河边|in Boston=在波士顿",
    "when": "yesterday=昨天|this morning=今天早上|last week=上周|on Monday=星期一|an hour ago=一小时前",
    "want": "wanted=想要|needed=需要|hoped=希望",
    "do": "sleep=睡觉|eat=吃饭|swim=游泳|study Chinese=学中文|go home=回家|learn English=学英语"
    "|play tennis=打网球",
    "how": "tired=累|happy=高兴|hungry=饿|busy=忙|ill=生病|sick=生病|late=迟到",
}
TEMPLATES = (
    ("{who} {saw} {thing}.", "{who}{saw}{thing}。"),
    ("{who} {saw} {thing} {when}.", "{who}{when}{saw}{thing}。"),
    ("{who} {saw} {thing} {where}.", "{who}{where}{saw}{thing}。"),
    ("{when}, {who} {saw} {thing} {where}.", "{when}{who}{where}{saw}{thing}。"),
    ("{who} {want} to {do}.", "{who}{want}{do}。"),
    ("{who} {want} to {do} {where} {when}.", "{who}{when}{want}{where}{do}。"),
    ("{who} looked {how} {when}.", "{who}{when}看起来很{how}。"),
    ("Who {saw} {thing}?", "谁{saw}{thing}？"),
)


def pairs(n: int = 3000, seed: int = 0) -> list[tuple[str, str]]:
    """n different pairs (English, Chinese), the shortest English first."""
    rng = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    found: dict[tuple[str, str], None] = {}
    while len(found) < n:
        found[_pair(rng)] = None
    return sorted(found, key=lambda pair: len(pair[0]))


def _pair(rng: np.random.RandomState) -> tuple[str, str]:
    english, chinese = TEMPLATES[rng.randint(len(TEMPLATES))]
    for slot in re.findall(r"{(\w+)}", english):
        entries = WORDS[slot].split("|")
        word, translated = entries[rng.randint(len(entries))].split("=")
        english = english.replace("{" + slot + "}", word)
        chinese = chinese.replace("{" + slot + "}", translated)
    return english[0].upper() + english[1:], chinese
