import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One run of the program, as it was started. */
export interface HelmCall {
  argv: string[];
  env: Record<string, string>;
  /** The files of --values that were there: content and mode. */
  values: { path: string; text: string; mode: string }[];
}

/** Stands for helm where its own behaviour is not the point: it records how it was started. */
export interface FakeHelm extends Disposable {
  path: string;
  calls(): HelmCall[];
}

/** `script` is shell that runs after the record is written, with the words of helm as its arguments. */
export function fakeHelm(script = '', version = 'v3.22.0'): FakeHelm {
  const folder = mkdtempSync(join(tmpdir(), 'fake-helm-'));
  const path = join(folder, 'helm');
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(
    path,
    `#!/bin/sh
[ "$1" = version ] && { echo ${version}; exit 0; }
perl -MJSON::PP -e '
  my @argv = @ARGV; my @values;
  for my $i (0 .. $#argv) { next unless $i and $argv[$i - 1] eq "--values"; my $f = $argv[$i];
    if (open my $h, "<", $f) { local $/; push @values, { path => $f, text => scalar <$h>, mode => sprintf("%o", (stat $f)[2] & 07777) } } }
  open my $log, ">>", "${log}"; print $log JSON::PP->new->encode({ argv => \\@argv, env => {%ENV}, values => \\@values }), "\\n";
' -- "$@"
${script}
`,
  );
  chmodSync(path, 0o755);
  return {
    path,
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
