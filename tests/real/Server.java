// Server.java PORT DIRECTORY - what Java programs do: serve with threads, make garbage, use files
// and processes. Every request gets the same text, or one that says what went wrong.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

public class Server {
    static final String TEXT = "hotpatch ".repeat(100);
    static final AtomicInteger count = new AtomicInteger();
    static Path directory;

    static String check() throws IOException, InterruptedException {
        int number = count.incrementAndGet();
        List<String> garbage = new ArrayList<>();
        for (int i = 0; i < 100; i++)
            garbage.add(TEXT.substring(i));
        if (garbage.get(99).length() != TEXT.length() - 99)
            return "memory is wrong";
        if (number % 10 == 0) {
            Path file = directory.resolve("java-" + Thread.currentThread().getId());
            Files.writeString(file, TEXT);
            if (!Files.readString(file).equals(TEXT))
                return "a file is wrong";
        }
        if (number % 500 == 0) {
            Process process = new ProcessBuilder("/bin/sh", "-c", "echo " + number).start();
            String said = new String(process.getInputStream().readAllBytes());
            if (process.waitFor() != 0 || !said.equals(number + "\n"))
                return "a process is wrong";
        }
        return TEXT;
    }

    static void answer(HttpExchange exchange) throws IOException {
        byte[] bytes;
        try {
            bytes = check().getBytes();
        } catch (Exception e) {
            bytes = e.toString().getBytes();
        }
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        InetAddress local = InetAddress.getLoopbackAddress();
        HttpServer server =
            HttpServer.create(new InetSocketAddress(local, Integer.parseInt(arguments[0])), 64);
        directory = Path.of(arguments[1]);
        server.createContext("/", Server::answer);
        server.createContext("/quit", exchange -> System.exit(0));
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
    }
}
