export function floorProblems(root: string): string[];
