import { objectList } from '../../../cli/kube/object-list.ts';

/** Declares `bgp config advertisements`. */
export const addBgpConfigAdvertisementsCommand = objectList(
  'bgpAdvertisement',
  'cilium bgp config advertisements',
  'cilium bgp config advertisements -l advertise=bgp',
);
