/* Whether the kernel knows that its clock is kept right (NTP, PTP, a hypervisor). */
#ifndef CONSILIUM_NODE_OS_KERNEL_CLOCK_H
#define CONSILIUM_NODE_OS_KERNEL_CLOCK_H

enum kernel_clock {
    KERNEL_CLOCK_UNKNOWN, /* the kernel does not tell, as in some containers */
    KERNEL_CLOCK_SYNCHRONISED,
    KERNEL_CLOCK_FREE, /* nothing corrects it */
};

/* Only reads; see adjtimex(2). */
enum kernel_clock kernel_clock_state(void);

#endif
