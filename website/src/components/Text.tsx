interface Props {
  children: string;
  className?: string;
}

/** Text that others wrote: any script, any length. It decides its own direction and leaves that of its surroundings alone. */
export function Text({ children, className }: Props) {
  return (
    <bdi dir="auto" className={className}>
      {children}
    </bdi>
  );
}
