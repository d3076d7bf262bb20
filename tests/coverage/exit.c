/* In the coverage build, what ends by _exit writes its counts first: the child processes of
 * storage/child.h, and the daemon when its store cannot be read. The linker leads _exit here
 * (--wrap); the program's sources know nothing of it.
 */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the names are libgcov's
 * and the linker's */
void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
