"""Takes out the parentheses that PostgreSQL's parser takes out of `(a AND b) AND c`, and of OR.

`x BETWEEN 1 AND 2 AND c` is kept nested and shown as `((x >= 1) AND (x <= 2)) AND c`. Whoever reads
that back, as a restore and a change of a column's type do, gets `(x >= 1) AND (x <= 2) AND c`.
https://github.com/postgres/postgres/blob/REL_18_0/src/backend/parser/gram.y: `makeAndExpr`
"""

import re
from dataclasses import dataclass, field

LITERAL = r"E?'(?:[^']|'')*'"
PIECE = re.compile(rf"""{LITERAL}|"(?:[^"]|"")*"|[()]| AND | OR |[^()"' ]+| |.""", re.DOTALL)
OPERATORS = (" AND ", " OR ")


@dataclass
class _Group:
    """What stands between two parentheses.

    Args:
        parts: pieces, and groups within it as text.
        operator: the AND or OR that joins its operands, "" if none does.
        first: what stands in the group that it begins with, and that one's operator.
    """

    parts: list[str] = field(default_factory=list)
    operator: str = ""
    first: tuple[str, str] = ("", "")

    def join(self, operator: str) -> None:
        """Take an operator, before which an operand of the same kind needs no parentheses."""
        text, inner = self.first
        if not self.operator and len(self.parts) == 1 and inner == operator:
            self.parts = [text]
        self.operator = operator
        self.parts.append(operator)

    def take(self, group: "_Group") -> None:
        """Take a group that has ended."""
        text = "".join(group.parts)
        if not self.parts:
            self.first = text, group.operator
        self.parts.append(f"({text})")


def flatten(expression: str) -> str:
    """Return an expression of the server's, in which the parser would find nothing to flatten."""
    if "((" not in expression or max(map(expression.count, OPERATORS)) < 2:
        return expression
    groups = [_Group()]
    for piece in PIECE.findall(expression):
        if piece == "(":
            groups.append(_Group())
        elif piece == ")" and len(groups) > 1:
            group = groups.pop()
            groups[-1].take(group)
        elif piece in OPERATORS:
            groups[-1].join(piece)
        else:
            groups[-1].parts.append(piece)
    return "".join(groups[0].parts) if len(groups) == 1 else expression
