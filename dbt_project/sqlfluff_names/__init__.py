"""Names that dbt gives to Jinja and sqlfluff does not; read by sqlfluff alone (see .sqlfluff).

With them sqlfluff renders our macros as they are, so that it lints the SQL that runs.
"""

from jinja2 import pass_context
from jinja2.runtime import Context
from sqlfluff.core.templaters.builtins.dbt import DBT_BUILTINS, DbtMacroWrapper


class _Target:
    """Lint what the warehouse runs."""

    name = "warehouse"
    schema = "main"


class _Adapter:
    """`dispatch` chooses the default: there is no database while linting."""

    @staticmethod
    @pass_context
    def dispatch(context: Context, name: str, package: str) -> object:
        return context.resolve(f"default__{name}")


class _Package:
    """`kairos.json_text(...)` is `json_text(...)`."""

    def __getattr__(self, name: str) -> object:
        @pass_context
        def call(context: Context, *args: object, **kwargs: object) -> object:
            return DbtMacroWrapper(context.resolve(name))(*args, **kwargs)

        return call


target, adapter, kairos, builtins = _Target(), _Adapter(), _Package(), DBT_BUILTINS
execute = False
