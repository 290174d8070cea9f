"""Shell completion scripts, generated from the argument parser."""

import argparse
from collections.abc import Iterator

Completions = dict[str, list[str]]


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](dict(tree(parser)), values(parser))


def tree(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each command with the words that can follow it, including options."""
    following = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            following += list(action.choices)
            for name, command in action.choices.items():
                yield from tree(command, f"{path} {name}".strip())
        elif action.choices and not action.option_strings:
            following += [str(choice) for choice in action.choices]
    yield path, following


def values(parser: argparse.ArgumentParser) -> Completions:
    """Return the values of each option, of all commands together."""
    by_option: Completions = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                for option, choices in values(command).items():
                    by_option[option] = list(dict.fromkeys([*by_option.get(option, []), *choices]))
        elif action.choices and action.option_strings:
            by_option[action.option_strings[-1]] = [str(choice) for choice in action.choices]
    return by_option


def _cases(completions: Completions) -> str:
    return "\n".join(f'    "{name}") matches="{" ".join(following)}" ;;' for name, following in completions.items())


_POSIX = """\
_candor_words() {{
  local path="" word matches=""
  for word in "$@"; do
    case "$word" in
      -*) ;;
      incident|component|maintenance|status|publish|completion|open|update|resolve|list|set|schedule)
        path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{commands}
  esac
  case "$prev" in
{options}
  esac
  printf '%s' "$matches"
}}
"""


def _posix(commands: Completions, option_values: Completions) -> str:
    return _POSIX.format(commands=_cases(commands), options=_cases(option_values))


def _bash(commands: Completions, option_values: Completions) -> str:
    return f"""{_posix(commands, option_values)}
_candor() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}"
  COMPREPLY=($(compgen -W "$(_candor_words "${{COMP_WORDS[@]:1:COMP_CWORD-1}}")" -- "$current"))
}}
complete -F _candor candor
"""


def _zsh(commands: Completions, option_values: Completions) -> str:
    return f"""#compdef candor
{_posix(commands, option_values)}
_candor() {{
  local prev="${{words[CURRENT-1]}}"
  local -a typed=("${{(@)words[2,CURRENT-1]}}")
  compadd -- $(_candor_words "${{typed[@]}}" | tr ' ' '\\n')
}}
compdef _candor candor
"""


def _fish(commands: Completions, option_values: Completions) -> str:
    lines = ["complete -c candor -f"]
    for path, options in commands.items():
        steps = path.split()
        seen = [f"__fish_seen_subcommand_from {step}" for step in steps]
        deeper = " ".join(
            other.split()[len(steps)] for other in commands if other != path and other.split()[: len(steps)] == steps
        )
        unseen = [f"not __fish_seen_subcommand_from {deeper}"] if deeper else []
        condition = "; and ".join([*seen, *unseen]) or "true"
        plain = " ".join(option for option in options if not option.startswith("-"))
        lines += [f"complete -c candor -n '{condition}' -a '{plain}'"] if plain else []
        for option in options:
            if option.startswith("--"):
                choices = f" -x -a '{' '.join(option_values[option])}'" if option in option_values else ""
                lines.append(f"complete -c candor -n '{condition}' -l {option[2:]}{choices}")
    return "\n".join(lines) + "\n"
