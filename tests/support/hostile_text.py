"""Texts that break a file in which they are not quoted rightly."""

HOSTILE = {
    "double quotes": 'He said "hi" and """bye"""',
    "single quotes": "it's '''fine'''",
    "dollars": "$HOME ${HOME} $(touch x) `touch x` $$",
    "an expression": "{{ 7*7 }} {{ cookiecutter.nothing }}",
    "a statement": "{% if %} {% raw %} {# comment",
    "backslashes": r"C:\Users\new\table\\ \"",
    "a comment": "# one #two",
    "a mapping": "key: value: [a, b] {c: d}",
    "emoji": "🚀 👩‍🚀 Größe",
    "right-to-left": "שירות العربية",
    "markup": "[bold]x[/bold] <b>&amp;</b> %s %(x)s 100%",
    "a dash": "- --help",
}
