#include "node/os/sched_slice.h"

#include <stdint.h>

#include <sys/syscall.h>
#include <unistd.h>

enum { SCHED_SLICE_SHORT_NS = 100 * 1000, SCHED_SLICE_LONG_NS = 3 * 1000 * 1000 };

/* struct sched_attr of sched_setattr(2), in its first version; Debian 12's libc does not have it.
 */
struct sched_slice_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

/* All else stays as it is. A kernel or sandbox that refuses leaves the thread slower, not wrong. */
static void sched_slice_set(uint64_t ns)
{
    struct sched_slice_attributes attributes = {.size = sizeof attributes};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
        return;
    attributes.runtime_ns = ns;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void sched_slice_short(void)
{
    sched_slice_set(SCHED_SLICE_SHORT_NS);
}

void sched_slice_long(void)
{
    sched_slice_set(SCHED_SLICE_LONG_NS);
}
