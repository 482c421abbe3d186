"""Make course_utils/plotting/han.otf, the Chinese characters that figures can show on any machine.

It holds the Chinese characters of the course's sources and the 1,500 commonest ones, so that most
edits need no new font. The full font comes from the package pylopdf-fonts-zh-cn 0.1.1, which is
not installed: `pip download --no-deps pylopdf-fonts-zh-cn==0.1.1`, unzip it, then

    python tools/font.py NotoSansSC-Regular.otf     writes han.otf
    python tools/font.py --check                    says which characters that code can draw han.otf lacks

The same full font, sources and version of fonttools give the same bytes.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
FONT = ROOT / "course_utils" / "plotting" / "han.otf"
FAMILY = "Large Models Han"  # its license lets no changed font keep a reserved name
FULL_FONT_SHA256 = "faa6c9df652116dde789d351359f3d7e5d2285a2b2a1f04a2d7244df706d5ea9"
SOURCES = ("*.md", "notebooks/*.md", "notebooks/py/*.py", "course_utils/**/*.py", "course_utils/**/*.toml")
MAX_BYTES = 400_000

PUNCTUATION = "、。《》「」『』【】（），：；！？％～"
# the commonest characters of the course's Chinese data sets (CMRC 2018, XQuAD, Weibo, UD GSD and the
# Tatoeba pairs, each with the same weight), commonest first
COMMON = (
    "的我是一了在有不年你人为他个大国这中和么会时学于们来地要上以到多什生成天发里后家可公好能姆子出汤斯下"
    "得用分作对日自哈很行法最小过都被开新主月与她没名之本道部想动心方说去吗现美尔长也其就间区机西加那物前"
    "经事位看特体车起所力理电而哪及高第同点球由教建等定任爱还工亚利种期些市面明做南因德路世度立代常员该场"
    "从水并当如知通全给马三文海意化东比博着英合重平民克语次军少数进相外关政性两线北太但真然约内女业回手将"
    "表活台至入气喜样队拉无安只系制正此更色总使实候者情持认校运欢乐设原司话称信微包格把或它战快兰转每十目"
    "接问支二受让士站感赛打今流何山品门布头应达统科提始州视议吃式计尼条已别量非罗影院口书花巴己再米基金变"
    "儿务友城类联果结见身保亲四交谁老直广王题请论号界河音几华带字林向形师星产元阿吧义丽处风解程完址服早型"
    "洲领觉周港卡参需放白晚管首维治必纪空级组选游波记古单近万展演告图啊神住命香诺玛件欧离共铁望希许母走府"
    "又死据节决孩网传房怎才取收张失权资属改男则龙奥福红威片鱼曾导造试岛集火座越观客湾听哥术指笑史超较石五"
    "社获复叫京食清跟卫反言医标连列钱足各除助光奖育增莱质先病报即省谢错角版商创居园像伊雨推播官示玩夫帮写"
    "速根药黑难画具边班县注兴职父争模密圣器致须际划热您剧规括强供飞室纳项准求思拿往待终青馆载素专干阳容筑"
    "照存整印朝留调确历独温息办诉普著装木旅眼声顿吉泪族买费远未户伤礼响功习易苏构故切半找塔委久黄份陆油层"
    "域帝研律续岁投效派算湖曼引随叶森查升止积土初季备举协象歌朋例夏济源读考深昨证宗沙汽细修伦消段奇击婚洛"
    "底睡江盟宝案镇且步端令满酒状护百另航妈团蒙免堂轻担识尽极究精频置嘻皮六杀曲洋营群送显围钟便志李呢录街"
    "刚低局配武排九害佛疫饭享落念典众绿鲁票拥测均富断牛努双蛋党汉雷继幸姐春牙店塞楼停树价逊够毛率恩弟环亦"
    "艺杰戏料限范纽讲拍席绝埃千康值宣甚编肯堡责勒承吴占射败萨伯秘险冠餐换迪肉技赢浪守含穿验假桥味攻宁氧码"
    "八藏托乎态签愿怕施突适况防优衣洗午负雪仍蓝减乡哦弗皇唱丹短泰评依松草七虽压冷瓦休般坐瑞景妹养破附却冰"
    "移胡织啦田亮陈控末狗贝澳灵惊暴否革款句遇兵郡误严吸封降掌永喝忙似赞银杯词束村答爆宋货差静采梦登简执笔"
    "齿跑野闻农氏背批翰侧厂尾耶谈苦购植预痛汗川猫坏距轮述船缺乔茶某惠判章余爸征警索杂课困境紧诗趣察彩童右"
    "鼓退尚掉抗毒届抱津私乘胞慢序偷菌唯麦厅祝圆异庭夜俄络健牌盖孙邦胜咖嘉纸势弹血齐输监辖甲怀贵伴策翻韩板"
    "菲财兹累释啡顶副丁仅遗宽讨赵雅斗充朗饰泳左丰岸缘云散芳按冲刘杜良顺激盛顾骨倒借废辆尺粉脑疗佳狂督唐懂"
    "渐床酸腊鸟卖荷搭善役廉冬桌亿鼻祖追敦刻秋块钢卷扩菜艾怒迷毕漫库宫丝屋隆延译访触雄庆呼禁坦岩遍授兄逐练"
    "剂临脚刀戈额宿烟冒芝企架犯秀麻烈卢黎予豪糖劳妻赶启轨谷危忘检嘴颜邻棒拜辛靠恶截骑付蒸摄挖鲜择聚君殖亡"
    "杨阶互暗赫泽伙藻荣舞默潮鸡仔遭抓沿迟瘟叔蛇摩脱乱乌抵归途介朱邀丢套弃暖抽核糕旗罪茵固穆莫娜姓软墨呈媒"
    "桑箱若献臣略署症旧猜淡阅籍弱泉碗益液迫售替疑潜盘夺惯巨讯撤寻忠洞栖繁迁镜脸羊枪招佩申拒豆裔综销孔露蒂"
    "睛烧龄透迹桂徒茨闭燃径央魏横础哭廷救圈键屎凡枚偶逼折训融宪缩宇补染坚描舍汇熟盐霍仁避甘阻拔袭熊股怪探"
    "虑戴迎侵挥抢敏邮醒楚哲订倍阵智符滚兼税妮梅捕材宾窗沃灯仪虫敌琳梁鬼碎竞毁混虚玉培烦概瑟宜急忆颗锁鞋贤"
    "炎貌呀幼悲隔逃膜饿魔疾峰纹舰妇币租萌苹碳杉锦跳炸佐滨坡嘛耳斑勇奶篇爷陷审恐琴驾昌庙肥恋涉辑孤荐俊零促"
    "搞瓜篮敢陵映漂凉净翼偏脉谱爵浙徐郎腹傻援谓浦酷幅残箭硬廊亨沉赏尝匹操瓶俗柯诞估裁猎览寺秒册忍忽厦吻凯"
    "蜡贡厚韦衡辅吐屏撒寄毫鼠帅疯滑诚贴甜旁裂猪昭壮剑徽锋磁尖针旋伐贷娃聪彼厌榜震擅烛灰泛遵弄珠晨肤葡秦胖"
)


def is_chinese(character: str) -> bool:
    """Whether a character belongs to Chinese text: an ideograph, or punctuation of full width."""
    return any(
        first <= ord(character) <= last
        for first, last in ((0x3000, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))
    )


def source_characters(root: Path = ROOT, *, prose: bool = True) -> set[str]:
    """The Chinese characters in the course's sources; without prose, only those that code can draw."""
    found: set[str] = set()
    for path in (path for pattern in SOURCES for path in root.glob(pattern)):
        if prose or path.suffix == ".py":
            for line in path.read_text(encoding="utf8").splitlines():
                # a notebook's Markdown stands in comments
                if prose or not line.lstrip().startswith("#"):
                    found.update(filter(is_chinese, line))
    return found


def lacking(font: Path = FONT, root: Path = ROOT) -> str:
    """The Chinese characters that code can draw and a font has no glyph for, in order."""
    with TTFont(font) as opened:
        return "".join(sorted(source_characters(root, prose=False) - set(map(chr, opened.getBestCmap()))))


def make(full: Path, output: Path = FONT, root: Path = ROOT) -> int:
    """Write the part of the full font that the course needs. Returns its size in bytes.

    Raises ValueError, and writes nothing, where the full font is another, lacks a character of the
    sources, or its part is larger than MAX_BYTES.
    """
    content = full.read_bytes()
    if hashlib.sha256(content).hexdigest() != FULL_FONT_SHA256:
        raise ValueError(f"{full} is not the font this tool was written for: take the version named on top")
    wanted = source_characters(root)
    with TTFont(full, recalcTimestamp=False) as font:
        if missing := wanted - set(map(chr, font.getBestCmap())):
            raise ValueError(f"the full font lacks {''.join(sorted(missing))}")
        # matplotlib needs outlines and widths only: no hints, no vertical or typographic variants
        options = subset.Options(
            layout_features=[], hinting=False, desubroutinize=True, notdef_outline=True,
            name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],  # with copyright and license
        )  # fmt: skip
        options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(sorted({*wanted, *PUNCTUATION, *COMMON})))
        subsetter.subset(font)
        _rename(font)
        temporary = output.with_suffix(".tmp")
        try:
            font.save(temporary)
            if (size := temporary.stat().st_size) > MAX_BYTES:
                raise ValueError(f"{size:,} bytes: more than {MAX_BYTES:,}; shorten COMMON")
            temporary.replace(output)
        finally:
            temporary.unlink(missing_ok=True)
    return size


def _rename(font: TTFont) -> None:
    """Give a font the course's name, in every table that names it."""
    postscript = FAMILY.replace(" ", "") + "-Regular"
    names = {1: FAMILY, 2: "Regular", 3: f"{FAMILY}, a part of Noto Sans SC", 4: FAMILY, 6: postscript}
    for record in list(font["name"].names):
        if record.langID not in (0, 0x409):  # English only
            font["name"].removeNames(langID=record.langID)
        elif record.nameID in names:
            record.string = names[record.nameID]
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    cff.topDictIndex[0].FullName = cff.topDictIndex[0].FamilyName = FAMILY


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python tools/font.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("font", nargs="?", type=Path, help="the full font, NotoSansSC-Regular.otf")
    task.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a character lacks")
    options = parser.parse_args(arguments)
    if options.check:
        missing = lacking()
        print(f"lacking: {missing}" if missing else "the font has every character that code can draw")
        return 1 if missing else 0
    try:
        size = make(options.font)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{FONT.relative_to(ROOT)}: {size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
