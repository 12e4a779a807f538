/** The control groups of a pod, one for each container. */
export interface CgroupRow {
  name: string;
  namespace: string;
  ids: (number | bigint)[];
}
