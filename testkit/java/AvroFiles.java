import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;

/** Prints what Avro's own reader finds in each file, a line of JSON each: schema, codec and rows. */
public final class AvroFiles {
    public static void main(String[] files) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String file : files) {
            try (DataFileReader<Object> reader =
                    new DataFileReader<>(new File(file), new GenericDatumReader<>())) {
                out.print("{\"schema\":" + reader.getSchema());
                out.print(",\"codec\":\"" + reader.getMetaString("avro.codec") + "\",\"rows\":[");
                String between = "";
                while (reader.hasNext()) {
                    out.print(between + GenericData.get().toString(reader.next()));
                    between = ",";
                }
                out.println("]}");
            }
        }
        out.flush();
    }
}
