interface Props {
  token: string;
  onChange: (token: string) => void;
}

/** The administrators' token, in memory and nowhere else: it is gone with the page. */
export function AdminToken({ token, onChange }: Props) {
  return (
    <label className="flex items-center gap-2 text-sm">
      <span className="label">Admin token</span>
      <input
        type="password"
        value={token}
        autoComplete="off"
        spellCheck={false}
        placeholder="for names and actions"
        onChange={(event) => {
          onChange(event.target.value.trim());
        }}
        className="field w-52 px-3 py-1.5 text-sm"
      />
    </label>
  );
}
