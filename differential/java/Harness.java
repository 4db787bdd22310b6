import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * The reference side of the differential test: runs cases against the classes of Apache Kafka.
 *
 * Standard input and output carry frames: a 32-bit length and that many bytes, all numbers big-endian. A request
 * starts with its operation: RUN has a count and cases, the answer has one answer per case; TIME has the warm-up and
 * the duration in ms and one case, the answer has the number of items done, the CPU time of the thread and the CPU
 * time of the whole process in ns. src/wire/ has the same forms.
 */
public final class Harness {
    private static final int RUN = 0;
    private static final int TIME = 1;

    private Harness() {
    }

    public static void main(String[] arguments) throws IOException {
        // Anything that prints must not break the frames.
        System.setOut(new PrintStream(System.err, true));
        DataInputStream input = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream output =
            new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
        while (true) {
            int length;
            try {
                length = input.readInt();
            } catch (EOFException end) {
                return;
            }
            byte[] frame = new byte[length];
            input.readFully(frame);
            byte[] answer = answer(new WireReader(frame));
            output.writeInt(answer.length);
            output.write(answer);
            output.flush();
        }
    }

    private static byte[] answer(WireReader request) {
        WireWriter answer = new WireWriter();
        int operation = request.u8();
        switch (operation) {
            case RUN -> {
                int count = request.i32();
                for (int at = 0; at < count; at++) {
                    Case.read(request).answer(answer);
                }
            }
            case TIME -> time(request.i32(), request.i32(), Case.read(request), answer);
            default -> throw new IllegalArgumentException("unknown operation " + operation);
        }
        return answer.bytes();
    }

    private static void time(int warmUpMs, int durationMs, Case subject, WireWriter answer) {
        subject.repeat(warmUpMs);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        com.sun.management.OperatingSystemMXBean system =
            (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long processBefore = system.getProcessCpuTime();
        long threadBefore = threads.getCurrentThreadCpuTime();
        long done = subject.repeat(durationMs);
        answer.i64(done);
        answer.i64(threads.getCurrentThreadCpuTime() - threadBefore);
        answer.i64(system.getProcessCpuTime() - processBefore);
    }
}
