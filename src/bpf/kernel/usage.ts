import { openMapById, openObjects, openProgramById } from './objects.ts';

/** Which loaded programs use which maps. */
export interface MapUsage {
  /** Names of programs by the id of a map that they use, each once. */
  programsOf: ReadonlyMap<number, readonly string[]>;
  /** Ids of maps in use, by the name that the kernel keeps of them (15 bytes). */
  usedByName: ReadonlyMap<string, number>;
}

/** Reads what the programs of the kernel use. */
export function readMapUsage(): MapUsage {
  const programsOf = new Map<number, string[]>();
  for (const program of openObjects('program', openProgramById)) {
    const { name, id } = program.info;
    for (const mapId of program.mapIds()) {
      const names = programsOf.get(mapId) ?? [];
      const label = name || `program ${id}`;
      if (!names.includes(label)) names.push(label);
      programsOf.set(mapId, names);
    }
  }
  const usedByName = new Map<string, number>();
  for (const { info } of openObjects('map', (id) => openMapById(id))) {
    if (programsOf.has(info.id)) usedByName.set(info.name, info.id);
  }
  return { programsOf, usedByName };
}

/** The map that programs use instead of a pinned one of the same name; undefined when all is well. */
export function usedInstead(
  pin: { id: number; name: string },
  pins: readonly { name: string }[],
  { programsOf, usedByName }: MapUsage,
): number | undefined {
  const short = pin.name.slice(0, 15);
  if (programsOf.has(pin.id)) return undefined;
  // The kernel cuts names: only one that stays unique can be compared.
  const unique = pins.filter(({ name }) => name.slice(0, 15) === short).length === 1;
  return unique ? usedByName.get(short) : undefined;
}
