/* How long a thread may go on before others have their turn.
 *
 * Whoever computes without pause (a worker) holds its core until its slice is over, about 3 ms; a
 * thread that was woken, by a frame or by the disk, waits meanwhile, several times for each commit.
 * One that asked for a shorter slice goes first. Linux before 6.12 knows one length for all, and
 * there nothing changes. Measured with G1 on a busy machine: 11,500 to 20,000 records/s. */
#ifndef CONSILIUM_NODE_OS_SCHED_SLICE_H
#define CONSILIUM_NODE_OS_SCHED_SLICE_H

/* For the calling thread, and those that it starts from then on: threads that mostly wait. To be
 * called at the start, before the sandbox. */
void sched_slice_short(void);

/* The same for threads that compute. */
void sched_slice_long(void);

#endif
