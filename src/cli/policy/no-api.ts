import { UserError } from '../../errors.ts';

/** The error for an agent without PUT and DELETE /policy. */
export function noPolicyApi(verb: 'takes' | 'deletes', cause: unknown): UserError {
  return new UserError(
    `this agent no longer ${verb} policies through its API: PUT and DELETE /policy ended after Cilium 1.18`,
    {
      hint:
        verb === 'takes'
          ? 'Use CiliumNetworkPolicy objects: "cilium policy import --via kubernetes FILE" or kubectl apply; or put the YAML into the folder that the agent watches (option static-cnp-path).'
          : "Delete the object that the rule came from: kubectl delete cnp NAME -n NAMESPACE (its name is in the rule's labels); or remove the file from the folder that the agent watches (option static-cnp-path).",
      cause,
    },
  );
}
