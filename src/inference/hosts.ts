import { getDomain } from "tldts";

/**
 * What somebody has registered of a host, by the Public Suffix List: whoever has it gives out the names below. Undefined for a machine's number, and
 * for a suffix, below which names belong to anybody.
 */
export const registrableOf = (host: string): string | undefined => getDomain(host, { allowPrivateDomains: true }) ?? undefined;
