/* Members whose names people could take for each other (name_skeleton.h). */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_LOOK_ALIKES_H
#define CONSILIUM_BOOTSTRAP_PRESENT_LOOK_ALIKES_H

#include <stdio.h>

#include "bootstrap/directory/society_directory.h"

struct look_alikes;

/* All members as they will be, also suspended and removed ones. NULL when memory is short. */
struct look_alikes *look_alikes_new(const struct society *society);
/* Accepts NULL. */
void look_alikes_free(struct look_alikes *all);

/* How many other members have a name like that of `member`, which need not be one yet. */
uint32_t look_alikes_count(const struct look_alikes *all, const struct member *member);

/* Prints these others, with country, state, node id and fingerprint, to `out`. */
void look_alikes_print(const struct look_alikes *all, const struct member *member, FILE *out);

#endif
