/* outdialctl backup and check: the store itself, without the daemon. */
#include "cmd/outdialctl.h"

#include <stdio.h>

int command_backup(struct ctl *ctl, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return ctl_fail(ctl, CTL_FAILED, "backup: not built yet");
}

int command_check(struct ctl *ctl, int argc, char **argv)
{
    (void)ctl;
    (void)argc;
    (void)argv;
    (void)fputs("outdialctl: check: not built yet\n", stderr);
    return CTL_OK;
}
