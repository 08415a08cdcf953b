"""Emoji by name: `:joy`, `:赞`, or any part of the Unicode name, as in `:penguin`.

Common emoji have short names, English and Chinese; for all others Python's unicodedata has the name.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

COMMON = """
👍 thumbsup +1 yes good 赞 好
👎 thumbsdown -1 no bad 踩 差
❤️ heart love 爱心 心
😂 joy laugh lol 笑哭
😀 grin happy 开心
😊 smile blush 微笑
😉 wink 眨眼
😍 heart_eyes 花痴 喜欢
😘 kiss 亲
😎 cool sunglasses 酷
🤔 thinking hmm 思考 想
😅 sweat_smile phew 汗 尴尬
😭 sob cry 大哭 哭
😢 sad tear 难过
😡 angry rage 生气 怒
😱 scream shock 惊恐 吓
😴 sleep zzz 睡 晚安
🙄 eye_roll 白眼
🤗 hug 抱抱
🥳 party_face 庆祝
😇 innocent angel 天使
🤷 shrug 摊手 不知道
🤦 facepalm 捂脸 无语
🙏 pray thanks please 谢谢 拜托
👏 clap bravo 鼓掌
💪 muscle strong 加油 强
👌 ok fine 可以
🤝 handshake deal 握手 合作
👋 wave hello bye 你好 再见
✌️ victory peace 耶
👀 eyes look 看
🎉 tada party hooray 恭喜 撒花
🎁 gift present 礼物
🎂 cake birthday 生日 蛋糕
🔥 fire hot 火
✨ sparkles shine 闪亮
⭐ star 星
💯 100 hundred 满分
✅ check done 完成 对
❌ cross wrong 错
❓ question 问
❗ exclamation attention 注意
⚠️ warning 警告
🚀 rocket ship_it 火箭 上线
🐛 bug 虫
💡 idea bulb 主意 点子
📌 pin 图钉
📎 clip attachment 回形针 附件
📅 date calendar 日期 日历
⏰ alarm clock 闹钟
☕ coffee 咖啡
🍵 tea 茶
🍺 beer 啤酒 干杯
🍚 rice meal 吃饭 米饭
🍜 noodles ramen 面
🥟 dumpling 饺子
🧧 red_envelope 红包
🌹 rose 玫瑰 花
🌞 sun sunny 太阳 晴
🌧️ rain 下雨 雨
❄️ snow 雪
🌙 moon night 月亮
🐱 cat 猫
🐶 dog 狗
🐼 panda 熊猫
🏠 home house 家
🚗 car 车
✈️ plane flight 飞机
💤 tired 困
💔 broken_heart 心碎
🙈 see_no_evil 害羞
"""

TYPED = re.compile(r"(?:(?:^|(?<=\s))[:：]([\w+-]+)|(?<=[⺀-￯]):([a-z0-9_+-]+))$")
"""A name being typed after a colon: at the start of a word, or a Latin name right after a Chinese character."""

_WHOLE = re.compile(r"(?<![A-Za-z0-9/\[]):([\w+-]+):")
_PICTURES = ((0x1F300, 0x1F3FA), (0x1F400, 0x1F64F), (0x1F680, 0x1F6FC), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAF8))


@cache
def _common() -> list[tuple[str, list[str]]]:
    return [(emoji, names) for emoji, *names in map(str.split, COMMON.strip().splitlines())]


@cache
def _others() -> list[tuple[str, str]]:
    characters = (chr(code) for first, last in _PICTURES for code in range(first, last + 1))
    common = {emoji.rstrip("\ufe0f") for emoji, _ in _common()}
    named = ((character, unicodedata.name(character, "")) for character in characters if character not in common)
    return [(character, name.lower().replace(" ", "_").replace("-", "_")) for character, name in named if name]


def replace_names(text: str) -> str:
    """Replace every name between two colons by its emoji: `well done :tada:`."""
    return _WHOLE.sub(lambda found: _by_name().get(found[1].lower(), found[0]), text)


@cache
def _by_name() -> dict[str, str]:
    common = {name: emoji for emoji, names in _common() for name in names}
    return {name: emoji for emoji, name in _others()} | common


def matching(typed: str) -> Iterator[tuple[str, str]]:
    """Yield emoji and names: common ones that begin like this, then, from three letters on, all that contain it."""
    typed = typed.lower()
    for emoji, names in _common():
        if found := next((name for name in names if name.startswith(typed)), ""):
            yield emoji, found
    if len(typed) >= 3:
        for emoji, name in _others():
            if typed in name:
                yield emoji, name
