"""``exchange contract``: draft a contract from a data file, check one, show what it says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.newfile import write_new
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.model.contract import Contract

app = typer.Typer(no_args_is_help=True, help="Contracts: what the records of a dataset look like.")

_FIELDS: Final = Text("Fields of {dataset}", "{dataset} 的字段")
_COLUMNS: Final = (
    Text("field", "字段"),
    Text("type", "类型"),
    Text("level", "敏感级别"),
    Text("required", "必填"),
    Text("personal data", "个人信息"),
    Text("title", "名称"),
)
_PERSONAL: Final = {
    "general": Text("general", "一般"),
    "sensitive": Text("sensitive", "敏感"),
}
_GOOD: Final = Text(
    "{file}: a valid contract for {dataset}: {fields} fields in {sections} sections",
    "{file}：合约有效，数据集 {dataset}，{fields} 个字段，{sections} 个分段",
)
_HASH: Final = Text("hash {hash}", "哈希 {hash}")
_DRAFTED: Final = Text(
    "{file}: read {out} and correct it before you propose it: types are guesses, levels start at 1",
    "{file}：请在申报前核对并修改 {out}：类型为推测，敏感级别默认为 1",
)


@app.command("check")
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A contract (YAML).")],
) -> None:
    """Check a contract file; name line, key and remedy of what is wrong."""
    from exchange.model.contract import Contract

    screen = session_of(context).screen
    contract = Contract.from_yaml(file)
    show_fields(screen, contract)
    screen.say(
        _GOOD,
        file=file,
        dataset=contract.dataset,
        fields=len(contract.fields),
        sections=len(contract.sections),
    )
    screen.say(_HASH, hash=contract.hash.hex())
    screen.answer(
        {
            "dataset": contract.dataset,
            "hash": contract.hash,
            "fields": list(contract.names),
            "sections": {str(part.level): list(part.fields) for part in contract.sections},
            "key": list(contract.key),
        }
    )


@app.command("infer")
def infer(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="CSV with one line of column names, or JSON Lines (also .gz).")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the draft here; default: standard output.")
    ] = None,
    delimiter: Annotated[str, typer.Option("--delimiter", help="Of a CSV file, or tab.")] = ",",
) -> None:
    """Draft a contract from a data file."""
    from exchange.wiring.drafts import draft_contract

    screen = session_of(context).screen
    draft = draft_contract(file, delimiter=delimiter)
    if out is None:
        screen.say(Text(draft, draft))
    else:
        write_new(out, draft)
    screen.note(_DRAFTED, file=file, out=out or "-")
    screen.answer({"contract": draft, "out": None if out is None else str(out)})


def show_fields(screen: Screen, contract: "Contract") -> None:
    """The fields of a contract as a table."""
    rows = [
        [
            field.name,
            field.type,
            field.level,
            "●" if field.required else "",
            screen.word(_PERSONAL[contract.personal[field.name]])
            if field.name in contract.personal
            else "",
            screen.word(Text(field.title.en or field.title.zh, field.title.zh or field.title.en)),
        ]
        for field in contract.fields
    ]
    title = Text(*(part.format(dataset=contract.dataset) for part in _FIELDS))
    screen.grid(Grid(title, _COLUMNS, rows))
