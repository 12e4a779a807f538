// A formula for Homebrew: on Linux the one file, on macOS the npm package with Homebrew's Node.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { manifest, NAMES, SUMMARY } from './facts.mjs';

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const BREW = { x64: 'on_intel', arm64: 'on_arm' };

function fetched(path, url, indent) {
  return [`url "${url}/${basename(path)}"`, `sha256 "${sha256(path)}"`]
    .map((line) => `${indent}${line}`)
    .join('\n');
}

/** Writes cilium-toolkit.rb and returns its path. */
export function writeFormula({ archives, npm, url, out }) {
  const linux = archives.map(
    ({ arch, path }) => `    ${BREW[arch]} do\n${fetched(path, url, '      ')}\n    end`,
  );
  const links = NAMES.map((name) => `"${name}"`).join(', ');
  const text = `# frozen_string_literal: true

class CiliumToolkit < Formula
  desc "${SUMMARY}"
  homepage "${url}"
  license "${manifest.license}"

  on_macos do
${fetched(npm, url, '    ')}
    depends_on "node"
  end

  on_linux do
${linux.join('\n')}
  end

  conflicts_with "cilium-cli", because: "both install cilium"
  conflicts_with "hubble", because: "both install hubble"

  def install
    if OS.mac?
      system "npm", "install", *std_npm_args
      bin.install_symlink libexec.glob("bin/*")
      generate_completions_from_executable(bin/"cilium", "completion")
      man1.install_symlink libexec.glob("lib/node_modules/${manifest.name}/dist/man/man1/*.1")
    else
      libexec.install "cilium-toolkit"
      [${links}].each do |name|
        bin.install_symlink libexec/"cilium-toolkit" => name
      end
      bash_completion.install Dir["share/bash-completion/completions/*"]
      zsh_completion.install Dir["share/zsh/site-functions/*"]
      fish_completion.install Dir["share/fish/vendor_completions.d/*"]
      man1.install Dir["share/man/man1/*"]
    end
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/cilium version --client")
    assert_match "hubble", shell_output("#{bin}/hubble version")
  end
end
`;
  const path = join(out, `${manifest.name}.rb`);
  writeFileSync(path, text);
  return path;
}
