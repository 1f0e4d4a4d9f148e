"""Everyday requests for code, and the one snippet that serves each."""

from dataclasses import dataclass

_DATA = "[| of a DataFrame| of the DataFrame| in pandas| with pandas| of df|]"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One everyday request; ``{a}``, ``{b}``, ``{n}``, ``{file}`` are slots."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]
    code: str
    needed: tuple[str, ...]


REQUESTS: tuple[Request, ...] = (
    Request(
        trained=(
            (
                "How [do I|can I|to] [read|load|open|import] [the file"
                " |]{file}[| in pandas| with"
                " pandas]?"
            ),
            (
                "[Read|Load|Open|Import] [the file |]{file}[| with pandas|"
                " into a DataFrame]."
            ),
            "[Read|Load] the CSV[ file|] {file}[| with pandas| into pandas].",
            "[Code|Snippet] to [read|load] {file}.",
            "[I want to|I need to] [read|load|open] {file}[| with pandas].",
        ),
        held_out=("Could you show me how to read {file} in pandas?",),
        code='import pandas as pd\n\ndf = pd.read_csv("{file}")',
        needed=("pd.read_csv(", "{file}"),
    ),
    Request(
        trained=(
            "How [do I|can I|to] read a CSV[ file|][| in pandas| with pandas]?",
            "[Read|Load|Open|Import] a CSV[ file|][| with pandas| into a DataFrame].",
            "[Code|Snippet] to [read|load] a CSV[ file|].",
            "How does read_csv work?",
        ),
        held_out=("Could you show me how to read a CSV file?",),
        code='import pandas as pd\n\ndf = pd.read_csv("data.csv")',
        needed=("pd.read_csv(",),
    ),
    Request(
        trained=(
            "How [do I|can I|to] [see|show|get|print] the first {n} rows" + _DATA + "?",
            "[Show|Print|Get|Give] [me |]the first {n} [rows|lines]" + _DATA + ".",
            "[Code|Snippet] [for|to show] the first {n} rows" + _DATA + ".",
            "[First|Head:] {n} rows" + _DATA + "[?|]",
        ),
        held_out=("I want to look at the first {n} rows of my DataFrame.",),
        code="df.head({n})",
        needed=("df.head({n})",),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [filter|select|keep] [the |]rows where"
                " {a} is [above|greater"
                " than|larger than|over|more than] {n}?"
            ),
            (
                "[Filter|Select|Keep|Show] [the |all |]rows [where|with] {a}"
                " [is |][above|greater"
                " than|over|> ][ |]{n}."
            ),
            "[Filter|Select] rows by {a} [above|over] {n}.",
            (
                "[Only|Give me] [the |]rows [where|with] {a}"
                " [above|over|greater than] {n}."
            ),
        ),
        held_out=("Could you show me how to keep the rows with {a} over {n}?",),
        code='df[df["{a}"] > {n}]',
        needed=('df["{a}"] > {n}',),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [get|compute|calculate] the"
                " [mean|average] {b} [per|by|for"
                " each] {a}?"
            ),
            (
                "[Group|group] by {a} and [take|compute|calculate|get|show]"
                " the [mean|average][ of"
                "|] {b}."
            ),
            "[Mean|Average] [|of ]{b} [per|by|for each] {a}[.|]",
            (
                "[Compute|Show|Give me|Calculate] the [mean|average] {b}"
                " [per|by|for each] {a}."
            ),
            "How do I group by {a} and [average|take the mean of] {b}?",
        ),
        held_out=(
            "Could you show me how to group by {a} with the mean of {b}?",
            "I need the average of {b} for each {a}.",
        ),
        code='df.groupby("{a}")["{b}"].mean()',
        needed=('groupby("{a}")', '["{b}"]', "mean()"),
    ),
    Request(
        trained=(
            "How [do I|can I|to] sort [|a DataFrame |the DataFrame |rows |df ]by {a}?",
            "Sort [|the DataFrame |the rows |df |the data ]by [|the column ]{a}.",
            "[Order|Sort] [the rows|df|the table] by {a}.",
            "[Code|Snippet] to sort by {a}.",
        ),
        held_out=("Could you show me how to sort my DataFrame by {a}?",),
        code='df.sort_values("{a}")',
        needed=('sort_values("{a}")',),
    ),
    Request(
        trained=(
            "How [do I|can I|to] [count|find|see|check] [the |]missing values"
            + _DATA
            + "?",
            "[Count|Find|Show|Check] [the |all |]missing values" + _DATA + ".",
            (
                "How many [values are missing|missing values are there|NaN"
                " values are there]?"
            ),
            "[Count|Find] [the |]NaN[ values|s]" + _DATA + ".",
        ),
        held_out=("Could you show me how to count the missing values in df?",),
        code="df.isna().sum()",
        needed=("isna().sum()",),
    ),
    Request(
        trained=(
            "How [do I|can I|to] [drop|remove|delete] [the |]rows with missing values?",
            "[Drop|Remove|Delete] [the |all |]rows with [missing values|NaN].",
            "[Drop|Remove] [the |]missing values" + _DATA + ".",
        ),
        held_out=("Could you show me how to remove the rows with missing values?",),
        code="df = df.dropna()",
        needed=("dropna()",),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] fill [the |]missing values[ in {a}| of"
                " {a}] with [0|zero]?"
            ),
            "[Fill|Replace] [the |]missing values [in|of] {a} [with|by] [0|zero].",
            "[Replace|Fill] NaN [in|of] {a} [with|by] [0|zero].",
        ),
        held_out=("Could you show me how to fill missing values of {a} by zero?",),
        code='df["{a}"] = df["{a}"].fillna(0)',
        needed=('df["{a}"].fillna(0)',),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [merge|join] [two DataFrames|two"
                " tables|df1 and df2] on {a}?"
            ),
            "[Merge|Join|Combine] [two DataFrames|two tables|df1 and df2] [on|by] {a}.",
            "[Merge|Join] on {a}[.|]",
            "[Code|Snippet] to merge two DataFrames on {a}.",
        ),
        held_out=("Could you show me how to join two DataFrames by {a}?",),
        code='pd.merge(df1, df2, on="{a}")',
        needed=("merge(", 'on="{a}"'),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] add a [new |]column {a} [that is|which"
                " is|as|with] twice {b}?"
            ),
            (
                "[Add|Make|Create] a [new |]column {a} [that is|which"
                " is|as|with] twice {b}."
            ),
            "[Add|Create] [the |a ]column {a} [as|that is] two times {b}.",
            "New column {a} [as|that is] twice {b}.",
        ),
        held_out=("Could you show me how to make a new column {a} as twice {b}?",),
        code='df["{a}"] = df["{b}"] * 2',
        needed=('df["{a}"] = df["{b}"] * 2',),
    ),
    Request(
        trained=(
            "How [do I|can I|to] count [the |]values [of|in] {a}?",
            "Count [the |][different |unique |]values [of|in] [|the column ]{a}.",
            "[Value counts|value_counts] [of|for|in] {a}[.|]",
            "How often [does|is] each [value of |]{a} [occur|appear|there]?",
            "[Show|Give me|Get] the value counts [of|for] {a}.",
        ),
        held_out=("Could you show me the value counts of {a}?",),
        code='df["{a}"].value_counts()',
        needed=('df["{a}"].value_counts()',),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [plot|draw|make] a line [plot|chart] of"
                " {b} [over|against] {a}?"
            ),
            "[Plot|Draw] {b} [over|against] {a}[ as a line|].",
            "[Make|Draw|Show] a line [plot|chart] of {b} [over|against] {a}.",
            "Line [plot|chart] of {b} [over|against] {a}[.|]",
        ),
        held_out=("Could you show me a line plot of {b} over {a}?",),
        code="import matplotlib.pyplot as plt\n\n"
        'plt.plot(df["{a}"], df["{b}"])\nplt.show()',
        needed=('plt.plot(df["{a}"], df["{b}"])', "plt.show()"),
    ),
    Request(
        trained=(
            "How [do I|can I|to] [plot|draw|make] a histogram of {a}?",
            "[Plot|Draw|Make|Show] a histogram of [|the column ]{a}.",
            "Histogram of {a}[.|]",
            "[Plot|Show] the distribution of {a}.",
        ),
        held_out=("Could you show me a histogram of {a}?",),
        code='import matplotlib.pyplot as plt\n\nplt.hist(df["{a}"])\nplt.show()',
        needed=('plt.hist(df["{a}"])', "plt.show()"),
    ),
    Request(
        trained=(
            "How [do I|can I|to] [plot|draw|make] a scatter plot of {a} and {b}?",
            "[Plot|Draw|Make|Show] a scatter [plot|chart] of {a} and {b}.",
            "Scatter [plot|chart] of {a} and {b}[.|]",
            "Scatter {a} and {b}.",
        ),
        held_out=("Could you show me a scatter plot of {a} and {b}?",),
        code="import matplotlib.pyplot as plt\n\n"
        'plt.scatter(df["{a}"], df["{b}"])\nplt.show()',
        needed=('plt.scatter(df["{a}"], df["{b}"])', "plt.show()"),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [make|create|get] an array of {n}"
                " zeros[| in NumPy| with"
                " NumPy]?"
            ),
            (
                "[Make|Create|Give me] [an array of|a NumPy array of|a"
                " vector of] {n} zeros."
            ),
            "[Array|NumPy array] of {n} zeros[.|]",
            "{n} zeros [in|with] NumPy[.|]",
        ),
        held_out=("Could you show me an array of {n} zeros in NumPy?",),
        code="import numpy as np\n\na = np.zeros({n})",
        needed=("np.zeros({n})",),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [make|create|get] an array [from 0 to"
                " {n}|of the numbers below"
                " {n}|of the first {n} numbers]?"
            ),
            (
                "[Make|Create|Give me] [an|a NumPy] array [of the first {n}"
                " numbers|of the numbers"
                " below {n}|of numbers up to {n}]."
            ),
            "[Array|NumPy array] of [the first {n} numbers|numbers up to {n}][.|]",
        ),
        held_out=("Could you show me an array of the first {n} numbers?",),
        code="import numpy as np\n\na = np.arange({n})",
        needed=("np.arange({n})",),
    ),
    Request(
        trained=(
            (
                "How [do I|can I|to] [compute|get|calculate] the"
                " [mean|average] of an array?"
            ),
            (
                "[Compute|Calculate|Get|Show] the [mean|average] of [an|a"
                " NumPy|the] array[ a|]."
            ),
            "[Mean|Average] of an array[| in NumPy| with NumPy][.|]",
            "What is the [mean|average] of an array[| in NumPy]?",
        ),
        held_out=("Could you show me the mean of an array in NumPy?",),
        code="import numpy as np\n\nnp.mean(a)",
        needed=("np.mean(",),
    ),
)
