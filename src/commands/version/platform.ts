/** This machine's system and processor, as Go calls them: `linux/amd64`. */
export function platform(): string {
  const arch = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
  return `${process.platform}/${arch}`;
}
