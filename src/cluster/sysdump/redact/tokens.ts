import type { TextRule } from './rule.ts';

/** How tokens of providers look. */
const SHAPES = [
  // GitHub, GitLab
  'gh[pousr]_[A-Za-z0-9]{30,}',
  'github_pat_\\w{22,}',
  'gl(?:pat|ptt|dt|rt|cbt|agent|ft|soat|imt|oas|ffct)-[\\w-]{20,}',
  // Slack, Stripe, Square
  'xox[abeoprs](?:\\.xox[bp])?-[\\w-]{10,}',
  'xapp-[\\w-]{10,}',
  '[rsp]k_(?:live|test)_\\w{16,}',
  'whsec_\\w{16,}',
  'sq0(?:csp|atp|idp)-[\\w-]{22,}',
  // registries of packages and images
  'npm_[A-Za-z0-9]{36}',
  'pypi-[\\w-]{50,}',
  'rubygems_[a-f0-9]{48}',
  'dckr_(?:pat|oat)_[\\w-]{20,}',
  // Vault, Terraform, Pulumi, Doppler, Tailscale
  'hv[sbr]\\.[\\w-]{20,}',
  's\\.(?=[A-Za-z]*\\d)[A-Za-z0-9]{24}(?![\\w.])',
  '\\w{14}\\.atlasv1\\.[\\w-]{60,}',
  'pul-[a-f0-9]{40}',
  'dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{30,}',
  'tskey-[a-z]+-[\\w-]{16,}',
  // clouds
  '(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])',
  'AIza[\\w-]{35}',
  'ya29\\.[\\w-]{20,}',
  '1//0[\\w-]{40,}',
  'GOCSPX-[\\w-]{20,}',
  'do[por]_v1_[a-f0-9]{64}',
  '[\\w.~-]{3}[\\w.~-]{0,7}\\dQ~[\\w.~-]{31,34}',
  // others
  'SG\\.[\\w-]{16,}\\.[\\w-]{32,}',
  'sk-[A-Za-z0-9_-]{20,}',
  'hf_[A-Za-z]{34}',
  'dapi[0-9a-f]{32}(?![0-9a-f])',
  'key-[0-9a-f]{32}(?![0-9a-f])',
  'NR(?:AK|II|JS)-[A-Z0-9a-z-]{24,}',
  'gl(?:sa_\\w{32}_\\w{8}|c_[\\w+/=]{32,})',
  'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
  'lin_(?:api|oauth)_\\w{32,}',
  'PMAK-[a-f0-9]{24}-[a-f0-9]{34}',
  'ATATT3[\\w=-]{50,}',
  // keys of age and of NATS
  'AGE-SECRET-KEY-1[0-9A-Z]{50,}',
  'S[ACNOUX][A-Z2-7]{56}(?![A-Z0-9])',
];

/** Tokens that their beginning tells. */
export const PROVIDER_TOKENS: TextRule = {
  name: 'provider-token',
  about: 'tokens that their beginning tells',
  pattern: new RegExp(`(?:(?<![A-Za-z0-9_-])|(?<=\\\\[nrt]))(?<secret>${SHAPES.join('|')})`, 'g'),
};
