export function expectedContent(source: string, number: number): string;
export function acknowledgedIn(output: string | Buffer): Map<number, string>;
export function consumedIn(output: string | Buffer): Map<string, string>;
export function disorder(acknowledged: ReadonlyMap<number, string>): string | undefined;
export function comparison(run: {
  readonly source: string;
  readonly count: number;
  readonly acknowledged: ReadonlyMap<number, string>;
  readonly consumed: ReadonlyMap<string, string>;
}): { readonly problem: string | undefined; readonly duplicates?: number };
