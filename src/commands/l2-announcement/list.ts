import { objectList } from '../../cli/kube/object-list.ts';

/** Declares `l2-announcement list`. */
export const addL2AnnouncementListCommand = objectList(
  'l2',
  'cilium l2-announcement list',
  'cilium l2-announcement list -o yaml',
);
