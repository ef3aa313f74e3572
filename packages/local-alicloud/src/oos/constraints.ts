import * as z from "zod";
import { ApiError } from "../contracts";

const whole = z.coerce.number().int().min(1).max(4096).optional();
const schema = z.strictObject({
  AllowedValues: z.array(z.string()).optional(),
  AllowedPattern: z.string().optional(),
  MinLength: whole,
  MaxLength: whole,
});

/**
 * Checks a value by the constraints of its parameter.
 * https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-createsecretparameter
 * @throws ApiError 400 `InvalidParameter`, without the value
 */
export function assertConstraints(text: string, value: string): void {
  const refuse = (reason: string) => new ApiError(400, "InvalidParameter", reason);
  let parsed: ReturnType<typeof schema.safeParse>;
  try {
    parsed = schema.safeParse(JSON.parse(text));
  } catch {
    throw refuse("The constraints are not JSON.");
  }
  if (!parsed.success) throw refuse(`The constraints are invalid: ${z.prettifyError(parsed.error)}.`);
  const { AllowedValues, AllowedPattern, MinLength = 0, MaxLength = Number.POSITIVE_INFINITY } = parsed.data;
  if (AllowedValues !== undefined && !AllowedValues.includes(value)) throw refuse("The value is not one of AllowedValues.");
  if (AllowedPattern !== undefined && !patternOf(AllowedPattern).test(value))
    throw refuse("The value does not match AllowedPattern.");
  if (value.length < MinLength || value.length > MaxLength)
    throw refuse(`The value must have ${MinLength} to ${MaxLength} characters.`);

  function patternOf(pattern: string): RegExp {
    try {
      return new RegExp(pattern);
    } catch {
      throw refuse("AllowedPattern of the constraints is not a regular expression.");
    }
  }
}
