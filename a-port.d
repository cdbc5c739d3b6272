port.o: arch/port.h arch/arch.h arch/callers.h arch/foreign.h arch/keep.h \
 arch/plt.h arch/relocation.h arch/stack_arguments.h base/call_site.h \
 base/cfi_frame.h base/host_calls.h base/interrupted_call.h \
 base/machine.h base/sha256_blocks.h base/sigframe.h base/stack_switch.h \
 base/step_instruction.h base/step_string.h base/sys.h base/under_mask.h \
 base/unwind.h base/cfi.h base/valgrind.h
arch/arch.h:
arch/callers.h:
arch/foreign.h:
arch/keep.h:
arch/plt.h:
arch/relocation.h:
arch/stack_arguments.h:
base/call_site.h:
base/cfi_frame.h:
base/host_calls.h:
base/interrupted_call.h:
base/machine.h:
base/sha256_blocks.h:
base/sigframe.h:
base/stack_switch.h:
base/step_instruction.h:
base/step_string.h:
base/sys.h:
base/under_mask.h:
base/unwind.h:
base/cfi.h:
base/valgrind.h:
