"""Names that differ on purpose: other units, other ends of a range, other samples, other statistics, other numbers.

`weight_g` for `weight_kg`, `max_price` for `min_price`, `X_test` for `X_train` and `sales_2025` for `sales_2026` are as
near as names can be, run as well, and are wrong. A guess must not take one for the other, and a repair that does is
asked about.
"""

from __future__ import annotations

import re

_KINDS = """
kg g mg ug t ton tons tonne tonnes lb lbs oz kilo kilos gram grams pound pounds
m km cm mm um nm ft feet foot inch inches yd yard yards mile miles meter meters metre metres nmi
s sec secs second seconds ms us ns min mins minute minutes h hr hrs hour hours hourly d day days daily week weeks weekly
  month months monthly quarter quarters quarterly year years yearly annual fortnight decade
usd eur gbp chf jpy cny inr sek nok dkk pln czk cad aud nzd brl zar krw dollar dollars euro euros yen pence cents cent
c f k celsius fahrenheit kelvin
pa hpa kpa mpa bar mbar psi atm
w kw mw gw wh kwh mwh gwh j kj mj kcal cal
b kb mb gb tb kib mib gib bit bits byte bytes
l ml cl dl liter liters litre litres gallon gallons
deg degree degrees rad radian radians
pct percent percentage share ratio frac fraction abs absolute relative rel log ln log10 log1p log2 exp
min max mean avg average median mode sum total count std sd var variance minimum maximum first last nunique cumulative
  cum rolling rank quantile q25 q75 iqr skew kurt
gross net
tax pretax before after
start end begin stop finish from to until since open close opening closing
first last prev previous next current old new latest earliest
low high lower upper bottom top lo hi
left right inner outer
lat lon lng long latitude longitude altitude attitude elevation
train test val valid validation dev holdout oof
x y z w u v i j k n p q r a b c d e
true pred predicted actual expected forecast plan planned budget target observed estimated estimate fitted residual
buy sell bid ask
debit credit
income expense expenses outcome revenue cost costs profit loss margin price
import export imports exports
in out inbound outbound inflow outflow input output incoming outgoing
source src target dst dest destination origin
sent received
male female men women man woman boys girls m f
north south east west n s e w ne nw se sw
home away
win loss wins losses won lost
pos neg positive negative plus minus tp fp tn fn precision recall
width height length depth diameter radius area volume perimeter weight mass
birth death born died
arrival departure arrive depart pickup dropoff
created updated deleted modified opened closed ordered shipped delivered returned paid due
asc desc ascending descending
row col rows cols column columns
parent child mother father
id name code date time number nr type kind flag note text label
jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august september october
  november december
mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday
am pm
red green blue
not non un no is has ex without
raw clean cleaned scaled normalized norm standardized adjusted adj corrected unadjusted
systolic diastolic
real nominal imag
sin cos tan
horizontal vertical
primary secondary
with without
foo bar
"""
_GROUPS = tuple(frozenset(line.split()) for line in re.sub(r"\n +", " ", _KINDS.strip()).split("\n"))
_QUALIFIERS = frozenset().union(*_GROUPS) - {"id", "name", "no", "is", "has", "number", "nr", "flag", "label", "type"}


def words(name: str) -> list[str]:
    """The words of a name, in small letters; digits are words of their own."""
    parts = re.findall(r"[^\W\d_]+|\d+(?:\.\d+)?|%|[$€£¥]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))
    return [p.casefold() for p in parts]


def _without_shared(a: str, b: str) -> tuple[list[str], list[str]]:
    one, two = words(a), words(b)
    for word in list(one):
        if word in two:
            one.remove(word)
            two.remove(word)
    return one, two


def _of_one_kind(x: str, y: str) -> bool:
    """Whether two different words, or the part in which they differ, are of one kind (`cummin`, `cummax`)."""
    if len(x) == len(y) == 1:
        return True
    if min(len(x), len(y)) > 2 and x.rstrip("s") == y.rstrip("s"):  # one and many
        return False
    for group in _GROUPS:
        if x in group and y in group:
            return True
        if any(
            p in x and any(q != p and x.replace(p, q, 1) == y for q in group if len(q) > 2) for p in group if len(p) > 2
        ):
            return True
    return False


def opposed(a: str, b: str) -> bool:
    """Whether two names differ by numbers, by single letters, or by words of one kind (`min_rate`, `max_rate`)."""
    one, two = _without_shared(a, b)
    if [w for w in one if w[0].isdigit()] != [w for w in two if w[0].isdigit()]:
        return True
    return any(_of_one_kind(x, y) for x in one for y in two)


def qualified(a: str, b: str) -> bool:
    """Whether one of two names says more than the other by a word that may change what is meant: a unit, a statistic, a
    sample, a number (`weight`, `weight_kg`; `price`, `net_price`)."""
    one, two = _without_shared(a, b)
    more = one or two
    return bool(more) and not (one and two) and any(w in _QUALIFIERS or not w.isalpha() for w in more)
