"""``footage --help``: the commands in the order of work, each with its whole first sentence."""

from __future__ import annotations

import click

# Each heading with its commands, in the order in which a team meets them.
ORDER = {
    "To begin": ("demo", "doctor"),
    "Each night": ("run", "ingest", "process", "report", "service"),
    "To look after it": ("status", "log", "retry", "add"),
    "To decide": ("review", "approve", "hold", "reject", "decide"),
    "To make films": ("render", "export"),
    "To answer people": ("handled", "letters", "consent", "withdraw"),
    "More machines": ("worker", "scheduler", "certificates"),
    "To keep and delete": ("keep", "custody", "verify", "purge", "move"),
}


class CommandsInOrder(click.Group):
    """A group whose help lists the commands by what they are for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of work; one that has no place yet comes last."""
        known = [name for names in ORDER.values() for name in names if name in self.commands]
        return [*known, *(name for name in super().list_commands(ctx) if name not in known)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands below their headings."""
        shown = {name: self.commands[name] for name in self.list_commands(ctx)}
        shown = {name: command for name, command in shown.items() if not command.hidden}
        width = max(map(len, shown))
        placed = {name for names in ORDER.values() for name in names}
        others = tuple(name for name in shown if name not in placed)
        for heading, names in (*ORDER.items(), ("Others", others)):
            rows = [(name.ljust(width), _sentence(shown[name])) for name in names if name in shown]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def _sentence(command: click.Command) -> str:
    """The first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())
