import { UsageError } from '../errors.ts';

/** Shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

/** The shell of this name. */
export function shellOf(name: string): Shell {
  const known = SHELLS.find((shell) => shell === name);
  if (!known) throw new UsageError(`unsupported shell: ${name}`, { hint: `Shells: ${SHELLS.join(', ')}.` });
  return known;
}

/**
 * The script of a shell. Each hands the words of the line to the hidden verb `__complete`, which answers a candidate
 * per line, a tab and what it means.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of cilium and hubble for bash. Load it with: source <(cilium completion bash)
_cilium_toolkit() {
  local line="\${COMP_LINE:0:COMP_POINT}" words cur cut value _
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur="\${words[\${#words[@]}-1]}"
  words=("\${words[@]:1}")
  [[ "\${COMP_WORDS[0]##*/}" == hubble ]] && words=(hubble "\${words[@]}")
  # Readline takes = and : for the end of a word: only what follows them is replaced.
  cut="\${cur%"\${cur##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    [[ -n $value ]] && COMPREPLY+=("\${value#"$cut"}")
  done < <(cilium __complete -- "\${words[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}
complete -o default -F _cilium_toolkit cilium hubble
`,
  zsh: `#compdef cilium hubble
# Completion of cilium and hubble for zsh. Load it with: source <(cilium completion zsh)
_cilium_toolkit() {
  local -a line_words candidates
  local line value meaning
  line_words=("\${(@)words[2,CURRENT]}")
  [[ \${words[1]:t} == hubble ]] && line_words=(hubble "\${line_words[@]}")
  for line in "\${(@f)$(cilium __complete -- "\${line_words[@]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    value=\${line%%$'\\t'*}
    meaning=\${line#*$'\\t'}
    candidates+=("\${value//:/\\\\:}:$meaning")
  done
  if (( \${#candidates} )); then
    _describe -t values cilium candidates
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_cilium" ]; then
  _cilium_toolkit
else
  compdef _cilium_toolkit cilium hubble
fi
`,
  fish: `# Completion of cilium and hubble for fish. Load it with: cilium completion fish | source
function __cilium_toolkit_complete
  set -l program (commandline -opc)[1]
  set -l line_words (commandline -opc)[2..-1] (commandline -ct)
  if string match -q '*hubble' -- $program
    set line_words hubble $line_words
  end
  cilium __complete -- $line_words 2>/dev/null
end
complete -c cilium -a '(__cilium_toolkit_complete)'
complete -c hubble -a '(__cilium_toolkit_complete)'
`,
  powershell: `# Completion of cilium and hubble for PowerShell. Load it with: cilium completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'cilium', 'hubble' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $program = $words | Select-Object -First 1
  $rest = @($words | Select-Object -Skip 1) + @("$wordToComplete")
  if ($program -like '*hubble*') { $rest = @('hubble') + $rest }
  cilium __complete -- @rest 2>$null | ForEach-Object {
    $value, $meaning = $_ -split "\`t", 2
    if (-not $meaning) { $meaning = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
  }
}
`,
};
