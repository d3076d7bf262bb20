/* Where the API would leave the process (web_seam.c). */
#ifndef OUTDIAL_TESTS_SIM_WEB_SEAM_H
#define OUTDIAL_TESTS_SIM_WEB_SEAM_H

struct event_base;
struct sim;

/* The simulation of this process, from now on. */
void web_seam_watch(struct sim *sim);

/* The event loop that the API believes in; never NULL. */
struct event_base *web_seam_base(void);

#endif
