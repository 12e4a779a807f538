/** Names within a recording in Parquet: what is no file yet stands in a journal, beside the folders of days, hours and namespaces. */
const JOURNAL = /^\.open-([0-9a-f-]{36})\.jsonl$/;
const PARTITION = /^(?:date|hour|namespace)=/;

/** Name of the journal with this id. */
export function journalName(id: string): string {
  return `.open-${id}.jsonl`;
}

/** Name of the files that it becomes, one in each folder that it has records of. */
export function partName(id: string): string {
  return `part-${id}.parquet`;
}

/** The id of a journal; undefined for the name of something else. */
export function idOfJournal(name: string): string | undefined {
  return JOURNAL.exec(name)?.[1];
}

/** Whether this is the name of a folder of records that have something in common. */
export function isPartition(name: string): boolean {
  return PARTITION.test(name);
}
