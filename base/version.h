/* The version of the program, for --version, the metrics and the headers of files. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define OUTDIAL_VERSION "0.1.0"

#endif
