// Which images no container uses, from what crictl says.
import { z } from 'zod';
import { badOutput } from './action.ts';

const images = z.looseObject({
  images: z
    .array(
      z.looseObject({
        id: z.string().max(256),
        repoTags: z.array(z.string().max(1024)).nullish(),
        repoDigests: z.array(z.string().max(1024)).nullish(),
        size: z.string().regex(/^\d{1,16}$/),
        pinned: z.boolean().nullish(),
      }),
    )
    .max(5000),
});
const containers = z.looseObject({
  containers: z
    .array(z.looseObject({ imageRef: z.string().max(1024), imageId: z.string().max(1024).nullish() }))
    .max(5000),
});

/**
 * @param left what is listed after the pruning: what went is what was there before and is not now. Undefined in a dry run:
 * what would go is what no container, not even an ended one, was made from and nobody has pinned.
 */
export function unusedImages(before = '', used = '', left?: string): { path: string; size_bytes: number }[] {
  const all = read(images, before, 'images').images;
  const gone = left === undefined ? withoutUser(all, used) : withoutThose(all, left);
  return gone.map(({ id, repoTags, size }) => ({ path: repoTags?.[0] ?? id, size_bytes: Number(size) }));
}

type Image = z.infer<typeof images>['images'][number];

function withoutUser(all: Image[], used: string): Image[] {
  const refs = new Set<string>();
  for (const { imageRef, imageId } of read(containers, used, 'containers').containers) {
    refs.add(imageRef);
    if (imageId) refs.add(imageId);
  }
  return all.filter(
    ({ id, pinned, repoDigests, repoTags }) =>
      !pinned && ![id, ...(repoDigests ?? []), ...(repoTags ?? [])].some((name) => refs.has(name)),
  );
}

function withoutThose(all: Image[], left: string): Image[] {
  const stay = new Set(read(images, left, 'images').images.map(({ id }) => id));
  return all.filter(({ id }) => !stay.has(id));
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw badOutput(`crictl's list of ${what} cannot be read: ${(error as Error).message.slice(0, 200)}`);
  }
}
