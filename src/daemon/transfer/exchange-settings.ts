/** PLACE */
export type ExchangeSettings = never;
