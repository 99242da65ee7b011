/* How a paper is called towards the citizen. */
import type { Material } from "@/api/types";
export const materialName = (m: Material): string => m.plain_name || m.name;
