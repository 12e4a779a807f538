import { UsageError } from '../../errors.ts';

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
 * per line, a tab and what it means, and in a last line what the shell shall do with them. No word of the line and no
 * candidate is ever evaluated.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/** Stands in every script, and tells a file that was made of one from another. */
export const SCRIPT_MARK = 'cilium __complete -- ';

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of cilium and hubble for bash. Load it with: source <(cilium completion bash)
_cilium_toolkit() {
  local line="\${COMP_LINE:0:COMP_POINT}" word='' quote='' c='' value='' _='' ends='' i inside=0 start=0 todo=4
  local -a words found files
  # COMP_WORDS is cut at = and : as well, so the line is taken apart here.
  for ((i = 0; i < \${#line}; i++)); do
    c="\${line:i:1}"
    if [[ $quote == "'" ]]; then
      if [[ $c == "'" ]]; then quote=''; else word+="$c"; fi
    elif [[ $c == '\\' ]]; then
      i=$((i + 1)) inside=1
      word+="\${line:i:1}"
    elif [[ $quote == '"' ]]; then
      if [[ $c == '"' ]]; then quote=''; else word+="$c"; fi
    elif [[ $c == [[:space:]] ]]; then
      [[ $inside == 1 ]] && words+=("$word")
      word='' inside=0 start=0
    elif [[ $c == "'" || $c == '"' ]]; then
      quote="$c" inside=1
    else
      word+="$c" inside=1
      # Readline takes these for the end of a word: only what follows them is replaced.
      [[ $COMP_WORDBREAKS == *"$c"* ]] && start=\${#word}
    fi
  done
  words=("\${words[@]:1}" "$word")
  [[ "\${COMP_WORDS[0]##*/}" == hubble ]] && words=(hubble "\${words[@]}")
  while IFS=$'\\t' read -r value _; do
    [[ -n $value ]] && found+=("$value")
  done < <(cilium __complete -- "\${words[@]}" 2>/dev/null)
  COMPREPLY=()
  [[ \${#found[@]} -eq 0 ]] && return 0
  i=$((\${#found[@]} - 1))
  todo="\${found[i]#:}"
  found=("\${found[@]:0:i}")
  if ((todo & 8)); then
    for value in "\${found[@]}"; do ends+="|*.$value"; done
    found=()
  fi
  for value in "\${found[@]}"; do COMPREPLY+=("\${value:start}"); done
  if ((todo & 2)); then compopt -o nospace 2>/dev/null; fi
  if ((todo & 4)); then return 0; fi
  value="\${word:start}"
  compopt -o filenames 2>/dev/null
  if ((todo & 16)); then
    while IFS= read -r c; do COMPREPLY+=("$c"); done < <(compgen -d -- "$value")
    return 0
  fi
  while IFS= read -r c; do files+=("$c"); done < <(compgen -f -- "$value")
  local shopt_was
  shopt_was=$(shopt -p extglob)
  shopt -s extglob
  for c in "\${files[@]}"; do
    if [[ -n $ends && -f "\${c/#\\~\\//$HOME/}" && $c != @(\${ends:1}) ]]; then continue; fi
    COMPREPLY+=("$c")
  done
  $shopt_was
  # Where nothing ends so, other files may be meant.
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=("\${files[@]}")
  return 0
}
complete -F _cilium_toolkit cilium hubble
`,
  zsh: `#compdef cilium hubble
# Completion of cilium and hubble for zsh. Load it with: source <(cilium completion zsh)
_cilium_toolkit() {
  local -a line_words candidates ends found
  local line value meaning
  local -i todo=4 result=1
  line_words=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  [[ \${words[1]:t} == hubble ]] && line_words=(hubble "\${line_words[@]}")
  found=("\${(@f)$(cilium __complete -- "\${line_words[@]}" 2>/dev/null)}")
  [[ -z \${found[-1]} ]] && return 1
  todo=\${found[-1]#:}
  for line in "\${found[1,-2][@]}"; do
    value=\${line%%$'\\t'*}
    meaning=\${line#*$'\\t'}
    if (( todo & 8 )); then
      ends+=("$value")
    else
      value=\${value//\\\\/\\\\\\\\}
      candidates+=("\${value//:/\\\\:}\${meaning:+:$meaning}")
    fi
  done
  if (( \${#candidates} )); then
    if (( todo & 2 )); then
      _describe -t values cilium candidates -S '' && result=0
    else
      _describe -t values cilium candidates && result=0
    fi
  fi
  (( todo & 4 )) && return result
  compset -P '-*='
  if (( todo & 16 )); then
    _files -/ && result=0
  elif (( \${#ends} )); then
    _files -g "*.(\${(j:|:)ends})" && result=0
  else
    _files && result=0
  fi
  return result
}
if [ "$funcstack[1]" = "_cilium" ]; then
  _cilium_toolkit
else
  compdef _cilium_toolkit cilium hubble
fi
`,
  fish: `# Completion of cilium and hubble for fish. Load it with: cilium completion fish | source
function __cilium_toolkit_complete
  set -l line_words (commandline -opc)
  set -l program $line_words[1]
  set -e line_words[1]
  set -l current (commandline -ct)
  set -l plain (string unescape -- $current 2>/dev/null)
  if test -z "$plain"
    set plain (string replace -r '^["\\']' '' -- $current)
  end
  if string match -q '*hubble' -- $program
    set -p line_words hubble
  end
  set -l found (cilium __complete -- $line_words "$plain" 2>/dev/null)
  set -l todo (string sub -s 2 -- $found[-1])
  set -e found[-1]
  test -n "$todo"; or return
  if not string match -q '*[!0-9]*' -- $todo
    if test (math "bitand($todo, 16)") -ne 0
      __fish_complete_directories $plain ''
      return
    end
    if test (math "bitand($todo, 8)") -ne 0
      __cilium_toolkit_files $plain .(string split -f 1 \\t -- $found)
      return
    end
    if test (math "bitand($todo, 4)") -eq 0
      __cilium_toolkit_files $plain
    end
  end
  if test (count $found) -gt 0
    printf '%s\\n' $found
  end
end
function __cilium_toolkit_files
  # Of --flag=FILE the flag stays in front.
  set -l head (string match -r -- '^-[^=]*=' $argv[1])
  set -l start (string sub -s (math 1 + (string length -- "$head")) -- $argv[1])
  set -l ends $argv[2..-1]
  set -l files (complete -C "__cilium_toolkit_none "(string escape -- "$start") | string split -f 1 \\t)
  set -l chosen
  for file in $files
    if test (count $ends) -eq 0
      set -a chosen $file
    else if string match -q '*/' -- $file
      set -a chosen $file
    else if contains -- (string match -r -- '\\.[^.]*$' $file) $ends
      set -a chosen $file
    end
  end
  test (count $chosen) -gt 0; or set chosen $files
  for file in $chosen
    printf '%s\\n' "$head$file"
  end
end
complete -c cilium -f -a '(__cilium_toolkit_complete)'
complete -c hubble -f -a '(__cilium_toolkit_complete)'
`,
  powershell: `# Completion of cilium and hubble for PowerShell. Load it with: cilium completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'cilium', 'hubble' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $program = $words | Select-Object -First 1
  $rest = @($words | Select-Object -Skip 1) + @("$wordToComplete")
  if ($program -like '*hubble*') { $rest = @('hubble') + $rest }
  $found = @(cilium __complete -- @rest 2>$null)
  if ($found.Count -eq 0) { return }
  $todo = [int]$found[-1].TrimStart(':')
  # Without an answer PowerShell looks for files itself.
  if ($todo -band 24) { return }
  $results = @($found | Select-Object -SkipLast 1 | ForEach-Object {
    $value, $meaning = $_ -split "\`t", 2
    if (-not $meaning) { $meaning = $value }
    $text = if ($value.Contains(',')) { "'$value'" } else { $value }
    [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $meaning)
  })
  if ($results.Count -gt 0) { $results } elseif ($todo -band 4) { '' }
}
`,
};
