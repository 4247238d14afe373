/* Which planted fault this run has: CONSILIUM_FAULT names it. */
#include "protocol/base/planted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum planted planted_chosen = PLANTED_NONE;

static const char *const planted_names[] = {"",
#define PLANTED_NAME(name, sentence) #name,
                                            PLANTED_LIST(PLANTED_NAME)
#undef PLANTED_NAME
};

__attribute__((constructor)) static void planted_choose(void)
{
    const char *wanted = getenv("CONSILIUM_FAULT");
    if (wanted == NULL)
        return;
    for (size_t i = 1; i < sizeof planted_names / sizeof planted_names[0]; i++) {
        if (strcmp(planted_names[i], wanted) == 0)
            planted_chosen = (enum planted)i;
    }
    if (planted_chosen == PLANTED_NONE) {
        (void)fprintf(stderr, "%s: no such fault; protocol/base/planted.h lists them\n", wanted);
        _Exit(2);
    }
}
