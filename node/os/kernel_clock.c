#include "node/os/kernel_clock.h"

#include <sys/timex.h>

enum kernel_clock kernel_clock_state(void)
{
    struct timex asked = {.modes = 0};
    int state = adjtimex(&asked);
    if (state < 0)
        return KERNEL_CLOCK_UNKNOWN;
    return state == TIME_ERROR || (asked.status & STA_UNSYNC) != 0 ? KERNEL_CLOCK_FREE
                                                                   : KERNEL_CLOCK_SYNCHRONISED;
}
