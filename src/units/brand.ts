/** Nominal types over primitives: a plain value cannot be passed where a unit is wanted. */

declare const brand: unique symbol;

/** `Base` that only its checked constructor can make. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
