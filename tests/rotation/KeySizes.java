import io.kestra.core.encryption.EncryptionService;

/** Says of each key of the command line whether Kestra encrypts and decrypts with it. */
public class KeySizes {
    public static void main(String[] keys) {
        for (String key : keys) {
            String said;
            try {
                said = EncryptionService.decrypt(key, EncryptionService.encrypt(key, "value"));
            } catch (Exception error) {
                said = error.getClass().getSimpleName();
            }
            System.out.println(said);
        }
    }
}
