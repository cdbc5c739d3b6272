/* build.h - hotpatch build. */
#ifndef HOTPATCH_VERB_BUILD_H
#define HOTPATCH_VERB_BUILD_H

int verb_build(int argc, char **argv);

#endif
